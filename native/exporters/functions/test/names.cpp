/* Names of C++, an exception that leaves functions, and an allocator of the program's own that is instrumented, too. */
#include <cstdio>
#include <cstdlib>
#include <new>
#include <vector>

extern "C" void library_entry(void);

namespace solver {
template <typename T> struct Grid {
  __attribute__((noinline)) T sum(T more) { return more + T(1); }
};
__attribute__((noinline)) void fails(int depth) {
  if (depth == 0) throw depth;
  fails(depth - 1);
}
}  // namespace solver

void *operator new(std::size_t size) {
  if (void *found = std::malloc(size)) return found;
  throw std::bad_alloc();
}
void operator delete(void *memory) noexcept { std::free(memory); }
void operator delete(void *memory, std::size_t) noexcept { std::free(memory); }

int main() {
  solver::Grid<double> grid;
  double sum = 0;
  for (int i = 0; i < 7; i++) sum = grid.sum(sum);
  try {
    solver::fails(3);
  } catch (int) {
    library_entry();
  }
  std::vector<int *> all;
  for (int i = 0; i < 100; i++) all.push_back(new int(i));
  for (int *one : all) delete one;
  std::printf("%g\n", sum);
  return 0;
}
