program uses_vigie
  use, intrinsic :: iso_fortran_env, only: int64, real64
  use vigie
  implicit none
  type(vigie_counter) :: steps, bytes, bad, parts
  type(vigie_real_counter) :: seconds
  type(vigie_gauge) :: residual, levels
  integer :: i, status
  character(len=:), allocatable :: name

  call vigie_counter_new(steps, 'fortran_steps_total   ', 'Steps of the solver', status)
  if (status /= vigie_ok) error stop 'no counter'
  call vigie_counter_new(bytes, 'fortran_bytes_total', 'Bytes')
  call vigie_counter_new(seconds, 'fortran_seconds_total', 'Seconds')
  call vigie_gauge_new(residual, 'fortran_residual', 'Residual')
  call vigie_gauge_new(levels, 'fortran_levels', 'Levels')
  name = vigie_name('fortran_parts_total', [character(len=8) :: 'phase', 'of'], [character(len=12) :: 'say "hello"', 'all'])
  call vigie_counter_new(parts, name, 'With labels')
  call vigie_counter_add(parts, 5)
  do i = 1, 10
    call vigie_counter_add(steps, 1)
    call vigie_counter_add(bytes, 10000000000_int64)
    call vigie_counter_add(seconds, 0.25_real64)
    call vigie_gauge_observe(levels, real(i, real64))
  end do
  call vigie_gauge_set(residual, 0.5_real64)

  call vigie_counter_add(steps, -1, status)
  if (status /= vigie_invalid) error stop 'a decrease was taken'
  call vigie_counter_new(bad, 'fortran_residual', 'of another kind', status)
  if (status /= vigie_kind) error stop 'a name of another kind was taken'
  call vigie_counter_add(bad, 1)
  if (len(vigie_name('x', ['1'], ['y'])) /= 0) error stop 'a bad label was taken'
  call vigie_set_rank(3, 4, status)
  if (status /= vigie_ok) error stop 'no rank'
  call vigie_flush()
  print '(a)', name
end program uses_vigie
