"""`make bench`: every bench, one after the other."""

from tests.bench import encoder, harness, heads, knn, linear, reading, rows, scale, training

for bench in (reading, knn, linear, heads, encoder, training, rows, harness, scale):
    bench.main()
    print(flush=True)
