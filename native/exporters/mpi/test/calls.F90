! Calls of 4 ranks through one of Fortran's interfaces: BINDING 1 is mpif.h, 2 the module mpi, 3 the module mpi_f08.
#if BINDING == 3
#define HANDLE(kind) type(kind)
#define STATUS type(MPI_Status) :: status
#else
#define HANDLE(kind) integer
#define STATUS integer :: status(MPI_STATUS_SIZE)
#endif
program calls
#if BINDING == 2
  use mpi
#elif BINDING == 3
  use mpi_f08
#endif
  use iso_c_binding
  implicit none
#if BINDING == 1
  include 'mpif.h'
#endif
  interface
    subroutine did_call(name, in, out) bind(C, name='did_call')
      use iso_c_binding
      character(kind=c_char), intent(in) :: name(*)
      integer(c_long), value :: in, out
    end subroutine
    subroutine did_report() bind(C, name='did_report')
    end subroutine
  end interface
  integer, parameter :: n = 10
  integer :: rank, size, left, right, ierr, length, i
  integer :: send(4 * n), receive(4 * n), counts(4), places(4)
  logical :: flag
  double precision :: time
  character(len=MPI_MAX_PROCESSOR_NAME) :: host
  HANDLE(MPI_Request) :: requests(2)
  HANDLE(MPI_Comm) :: half
  HANDLE(MPI_Datatype) :: column
  STATUS

  call MPI_Init(ierr); call did('init', 0, 0)
  call MPI_Comm_rank(MPI_COMM_WORLD, rank, ierr); call did('comm_rank', 0, 0)
  call MPI_Comm_size(MPI_COMM_WORLD, size, ierr); call did('comm_size', 0, 0)
  call MPI_Get_processor_name(host, length, ierr); call did('get_processor_name', 0, 0)
  send = rank
  right = mod(rank + 1, size)
  left = mod(rank + size - 1, size)
  if (mod(rank, 2) == 0) then
    call MPI_Send(send, n, MPI_INTEGER, right, 1, MPI_COMM_WORLD, ierr); call did('send', 0, 40)
    call MPI_Recv(receive, 2 * n, MPI_INTEGER, left, 1, MPI_COMM_WORLD, status, ierr); call did('recv', 40, 0)
  else
    call MPI_Recv(receive, 2 * n, MPI_INTEGER, left, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE, ierr); call did('recv', 40, 0)
    call MPI_Send(send, n, MPI_INTEGER, right, 1, MPI_COMM_WORLD, ierr); call did('send', 0, 40)
  end if
  if (receive(1) /= left) error stop 5
  do i = 1, 3
    call MPI_Irecv(receive, n, MPI_INTEGER, left, 2, MPI_COMM_WORLD, requests(1), ierr); call did('irecv', 40, 0)
    call MPI_Isend(send, n, MPI_INTEGER, right, 2, MPI_COMM_WORLD, requests(2), ierr); call did('isend', 0, 40)
    call MPI_Waitall(2, requests, MPI_STATUSES_IGNORE, ierr); call did('waitall', 0, 0)
  end do
  call MPI_Sendrecv(send, n, MPI_INTEGER, right, 3, receive, n, MPI_INTEGER, left, 3, MPI_COMM_WORLD, status, ierr)
  call did('sendrecv', 40, 40)
  call MPI_Isend(send, n, MPI_INTEGER, right, 4, MPI_COMM_WORLD, requests(1), ierr); call did('isend', 0, 40)
  flag = .false.
  do while (.not. flag)
    call MPI_Iprobe(left, 4, MPI_COMM_WORLD, flag, status, ierr); call did('iprobe', 0, 0)
  end do
  call MPI_Recv(receive, n, MPI_INTEGER, left, 4, MPI_COMM_WORLD, status, ierr); call did('recv', 40, 0)
  flag = .false.
  do while (.not. flag)
    call MPI_Test(requests(1), flag, status, ierr); call did('test', 0, 0)
  end do
  call MPI_Send_init(send, n, MPI_INTEGER, right, 5, MPI_COMM_WORLD, requests(1), ierr); call did('send_init', 0, 0)
  call MPI_Recv_init(receive, n, MPI_INTEGER, left, 5, MPI_COMM_WORLD, requests(2), ierr); call did('recv_init', 0, 0)
  do i = 1, 3
    call MPI_Startall(2, requests, ierr); call did('startall', 40, 40)
    call MPI_Waitall(2, requests, MPI_STATUSES_IGNORE, ierr); call did('waitall', 0, 0)
  end do
  do i = 1, 2
    call MPI_Request_free(requests(i), ierr); call did('request_free', 0, 0)
  end do

  call MPI_Barrier(MPI_COMM_WORLD, ierr); call did('barrier', 0, 0)
  call MPI_Bcast(send, n, MPI_INTEGER, 1, MPI_COMM_WORLD, ierr)
  call did('bcast', merge(0, 40, rank == 1), merge(40, 0, rank == 1))
  call MPI_Reduce(send, receive, n, MPI_INTEGER, MPI_SUM, 2, MPI_COMM_WORLD, ierr); call did('reduce', merge(40, 0, rank == 2), 40)
  call MPI_Allreduce(send, receive, n, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD, ierr); call did('allreduce', 40, 40)
  call MPI_Allreduce(MPI_IN_PLACE, receive, n, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD, ierr); call did('allreduce', 40, 40)
  call MPI_Allgather(send, n, MPI_INTEGER, receive, n, MPI_INTEGER, MPI_COMM_WORLD, ierr); call did('allgather', 160, 40)
  counts = (/1, 2, 3, 4/)
  places = (/0, 1, 3, 6/)
  call MPI_Gatherv(send, rank + 1, MPI_INTEGER, receive, counts, places, MPI_INTEGER, 0, MPI_COMM_WORLD, ierr)
  call did('gatherv', merge(40, 0, rank == 0), 4 * (rank + 1))
  call MPI_Alltoall(send, n, MPI_INTEGER, receive, n, MPI_INTEGER, MPI_COMM_WORLD, ierr); call did('alltoall', 160, 160)
  call MPI_Comm_split(MPI_COMM_WORLD, rank / 2, rank, half, ierr); call did('comm_split', 0, 0)
  call MPI_Comm_set_name(half, 'a half', ierr); call did('comm_set_name', 0, 0)
  call MPI_Allgather(send, n, MPI_INTEGER, receive, n, MPI_INTEGER, half, ierr); call did('allgather', 80, 40)
  call MPI_Comm_free(half, ierr); call did('comm_free', 0, 0)
  call MPI_Type_vector(5, 1, 2, MPI_INTEGER, column, ierr); call did('type_vector', 0, 0)
  call MPI_Type_commit(column, ierr); call did('type_commit', 0, 0)
  call MPI_Bcast(send, 2, column, 0, MPI_COMM_WORLD, ierr); call did('bcast', merge(0, 40, rank == 0), merge(40, 0, rank == 0))
  call MPI_Type_free(column, ierr); call did('type_free', 0, 0)
  time = MPI_Wtime(); call did('wtime', 0, 0)
  call MPI_Finalize(ierr); call did('finalize', 0, 0)
  if (time < 0) error stop 6
  call did_report()

contains
  subroutine did(name, in, out)
    character(len=*), intent(in) :: name
    integer, intent(in) :: in, out
    character(len=64), save, target :: names(64)
    integer, save :: used = 0
    integer :: at
    ! did.h keeps the address of a name.
    do at = 1, used
      if (names(at) == trim(name)//c_null_char) exit
    end do
    if (at > used) then
      used = at
      names(at) = trim(name)//c_null_char
    end if
    call did_call(names(at), int(in, c_long), int(out, c_long))
  end subroutine
end program
