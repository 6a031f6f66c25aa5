"""`make bench`: every bench, one after the other."""

from tests.bench import encoder, harness, knn, linear

for bench in (knn, linear, encoder, harness):
    bench.main()
    print(flush=True)
