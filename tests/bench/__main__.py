"""`make bench`: every bench, one after the other."""

from tests.bench import encoder, harness, heads, knn, linear, reading, rows, scale

for bench in (reading, knn, linear, heads, encoder, rows, harness, scale):
    bench.main()
    print(flush=True)
