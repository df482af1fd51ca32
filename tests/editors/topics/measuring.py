"""What memory is used for."""
import tracemalloc


def fill(size):
    return [str(number) * 10 for number in range(size)]


tracemalloc.start()
before = tracemalloc.take_snapshot()
lines = fill(20_000)
after = tracemalloc.take_snapshot()
for difference in after.compare_to(before, "lineno")[:2]:
    print(difference)
