! Counters and gauges of a Fortran program, shown by Vigie while it runs. Compiled with the program, since module files are
! a compiler's own, and linked with libvigie:
!
!     use vigie
!     type(vigie_counter) :: steps
!     type(vigie_gauge) :: residual
!     call vigie_counter_new(steps, 'solver_steps_total', 'Steps of the solver')
!     call vigie_gauge_new(residual, 'solver_residual', 'Residual after a step')
!     call vigie_counter_add(steps, 1)
!     call vigie_gauge_set(residual, 1.0d0)
!
! All may be called from any thread. A metric that was not made (its status is not vigie_ok) may be used: it counts
! nothing. Trailing blanks of names and texts do not count.
module vigie
  use, intrinsic :: iso_c_binding, only: c_char, c_double, c_int, c_int64_t, c_loc, c_null_char, c_null_ptr, c_ptr, c_size_t
  implicit none
  private

  integer, parameter, public :: vigie_ok = 0
  integer, parameter, public :: vigie_invalid = -1  ! a bad name, not a finite number, or a decrease
  integer, parameter, public :: vigie_kind = -2     ! the name stands for a metric of another kind
  integer, parameter, public :: vigie_full = -3     ! no memory, or too many metrics

  ! Of whole numbers.
  type, public :: vigie_counter
    private
    type(c_ptr) :: handle = c_null_ptr
  end type vigie_counter

  ! Of double precision.
  type, public :: vigie_real_counter
    private
    type(c_ptr) :: handle = c_null_ptr
  end type vigie_real_counter

  type, public :: vigie_gauge
    private
    type(c_ptr) :: handle = c_null_ptr
  end type vigie_gauge

  public :: vigie_counter_new, vigie_counter_add, vigie_gauge_new, vigie_gauge_set, vigie_gauge_observe
  public :: vigie_name, vigie_set_rank, vigie_flush

  interface vigie_counter_new
    module procedure counter_new, real_counter_new
  end interface vigie_counter_new

  interface vigie_counter_add
    module procedure counter_add, counter_add_long, real_counter_add
  end interface vigie_counter_add

  type, bind(c) :: label
    type(c_ptr) :: name, value
  end type label

  interface
    integer(c_int) function c_counter_new(counter, name, doc) bind(c, name='vigie_counter_new')
      import :: c_char, c_int, c_ptr
      type(c_ptr), intent(out) :: counter
      character(kind=c_char), intent(in) :: name(*), doc(*)
    end function c_counter_new
    integer(c_int) function c_counter_new_double(counter, name, doc) bind(c, name='vigie_counter_new_double')
      import :: c_char, c_int, c_ptr
      type(c_ptr), intent(out) :: counter
      character(kind=c_char), intent(in) :: name(*), doc(*)
    end function c_counter_new_double
    integer(c_int) function c_gauge_new(gauge, name, doc) bind(c, name='vigie_gauge_new')
      import :: c_char, c_int, c_ptr
      type(c_ptr), intent(out) :: gauge
      character(kind=c_char), intent(in) :: name(*), doc(*)
    end function c_gauge_new
    integer(c_int) function c_name(buffer, size, family, labels, count) bind(c, name='vigie_name')
      import :: c_char, c_int, c_size_t, label
      character(kind=c_char), intent(out) :: buffer(*)
      integer(c_size_t), value :: size, count
      character(kind=c_char), intent(in) :: family(*)
      type(label), intent(in) :: labels(*)
    end function c_name
    integer(c_int) function c_counter_add(counter, increase) bind(c, name='vigie_counter_add')
      import :: c_int, c_int64_t, c_ptr
      type(c_ptr), value :: counter
      integer(c_int64_t), value :: increase
    end function c_counter_add
    integer(c_int) function c_counter_add_double(counter, increase) bind(c, name='vigie_counter_add_double')
      import :: c_double, c_int, c_ptr
      type(c_ptr), value :: counter
      real(c_double), value :: increase
    end function c_counter_add_double
    integer(c_int) function c_gauge_set(gauge, value) bind(c, name='vigie_gauge_set')
      import :: c_double, c_int, c_ptr
      type(c_ptr), value :: gauge
      real(c_double), value :: value
    end function c_gauge_set
    integer(c_int) function c_gauge_observe(gauge, value) bind(c, name='vigie_gauge_observe')
      import :: c_double, c_int, c_ptr
      type(c_ptr), value :: gauge
      real(c_double), value :: value
    end function c_gauge_observe
    integer(c_int) function c_set_rank(rank, size) bind(c, name='vigie_set_rank')
      import :: c_int
      integer(c_int), value :: rank, size
    end function c_set_rank
    integer(c_int) function c_flush() bind(c, name='vigie_flush')
      import :: c_int
    end function c_flush
  end interface

contains

  subroutine tell(result, status)
    integer(c_int), intent(in) :: result
    integer, intent(out), optional :: status
    if (present(status)) status = int(result)
  end subroutine tell

  subroutine counter_new(counter, name, doc, status)
    type(vigie_counter), intent(out) :: counter
    character(len=*), intent(in) :: name, doc
    integer, intent(out), optional :: status
    call tell(c_counter_new(counter%handle, trim(name)//c_null_char, trim(doc)//c_null_char), status)
  end subroutine counter_new

  subroutine real_counter_new(counter, name, doc, status)
    type(vigie_real_counter), intent(out) :: counter
    character(len=*), intent(in) :: name, doc
    integer, intent(out), optional :: status
    call tell(c_counter_new_double(counter%handle, trim(name)//c_null_char, trim(doc)//c_null_char), status)
  end subroutine real_counter_new

  subroutine vigie_gauge_new(gauge, name, doc, status)
    type(vigie_gauge), intent(out) :: gauge
    character(len=*), intent(in) :: name, doc
    integer, intent(out), optional :: status
    call tell(c_gauge_new(gauge%handle, trim(name)//c_null_char, trim(doc)//c_null_char), status)
  end subroutine vigie_gauge_new

  subroutine counter_add_long(counter, increase, status)
    type(vigie_counter), intent(in) :: counter
    integer(c_int64_t), intent(in) :: increase
    integer, intent(out), optional :: status
    ! C has no sign here: a decrease would be an enormous increase.
    if (increase < 0) then
      call tell(int(vigie_invalid, c_int), status)
    else
      call tell(c_counter_add(counter%handle, increase), status)
    end if
  end subroutine counter_add_long

  subroutine counter_add(counter, increase, status)
    type(vigie_counter), intent(in) :: counter
    integer(c_int), intent(in) :: increase
    integer, intent(out), optional :: status
    call counter_add_long(counter, int(increase, c_int64_t), status)
  end subroutine counter_add

  subroutine real_counter_add(counter, increase, status)
    type(vigie_real_counter), intent(in) :: counter
    real(c_double), intent(in) :: increase
    integer, intent(out), optional :: status
    call tell(c_counter_add_double(counter%handle, increase), status)
  end subroutine real_counter_add

  ! Replaces what the gauge has: one observation of this value.
  subroutine vigie_gauge_set(gauge, value, status)
    type(vigie_gauge), intent(in) :: gauge
    real(c_double), intent(in) :: value
    integer, intent(out), optional :: status
    call tell(c_gauge_set(gauge%handle, value), status)
  end subroutine vigie_gauge_set

  ! Adds an observation: the gauge has the smallest, the largest, the number and the sum of all of them.
  subroutine vigie_gauge_observe(gauge, value, status)
    type(vigie_gauge), intent(in) :: gauge
    real(c_double), intent(in) :: value
    integer, intent(out), optional :: status
    call tell(c_gauge_observe(gauge%handle, value), status)
  end subroutine vigie_gauge_observe

  ! family{name="value",...}: values are escaped, trailing blanks of names and values do not count. Empty for a bad label.
  function vigie_name(family, names, values) result(text)
    character(len=*), intent(in) :: family
    character(len=*), intent(in) :: names(:), values(:)
    character(len=:), allocatable :: text
    character(kind=c_char, len=len(names) + 1), target :: own_names(size(names))
    character(kind=c_char, len=len(values) + 1), target :: own_values(size(names))
    character(kind=c_char) :: buffer(4097)
    type(label) :: labels(size(names))
    integer(c_int) :: length
    integer :: i
    text = ''
    if (size(values) /= size(names)) return
    do i = 1, size(names)
      own_names(i) = trim(names(i))//c_null_char
      own_values(i) = trim(values(i))//c_null_char
      labels(i)%name = c_loc(own_names(i))
      labels(i)%value = c_loc(own_values(i))
    end do
    length = c_name(buffer, int(size(buffer), c_size_t), trim(family)//c_null_char, labels, int(size(names), c_size_t))
    if (length <= 0) return
    text = repeat(' ', length)
    do i = 1, length
      text(i:i) = buffer(i)
    end do
  end function vigie_name

  ! Tells which rank of how many this process is.
  subroutine vigie_set_rank(rank, size, status)
    integer, intent(in) :: rank, size
    integer, intent(out), optional :: status
    call tell(c_set_rank(int(rank, c_int), int(size, c_int)), status)
  end subroutine vigie_set_rank

  ! Gives what was counted to an older proxy now, for at most 250 ms. Happens by itself when the program ends.
  subroutine vigie_flush()
    integer(c_int) :: ignored
    ignored = c_flush()
  end subroutine vigie_flush
end module vigie
