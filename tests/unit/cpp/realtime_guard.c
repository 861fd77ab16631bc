/* SPDX-License-Identifier: MIT */
/* Replaces functions of the C library by ones that count and then call the original. In C
   and without the library's headers, so that one signature fits all: six words in
   registers, one back, which forwards any function of integers and pointers. */
#include "realtime_guard.h"

static __thread int armed;
static __thread long count;
static __thread const char* first;
static __thread int refuses_threads;

void realtime_guard_arm(void) {
  count = 0;
  first = "";
  armed = 1;
}

long realtime_guard_disarm(void) {
  armed = 0;
  return count;
}

const char* realtime_guard_first(void) {
  return first;
}

void realtime_guard_refuse_threads(int refuse) {
  refuses_threads = refuse;
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

typedef long word;
typedef word function(word, word, word, word, word, word);

extern void* dlsym(void*, const char*);
extern void* dlvsym(void*, const char*, const char*);
#define NEXT_LIBRARY ((void*)-1L)

static void note(const char* name) {
  if (!armed) return;
  if (count++ == 0) first = name;
}

static function* original(const char* name, const char* version) {
  return (function*)(version != 0 ? dlvsym(NEXT_LIBRARY, name, version) : dlsym(NEXT_LIBRARY, name));
}

#define REPLACE_VERSION(name, version)                        \
  word name(word a, word b, word c, word d, word e, word f) { \
    static function* next;                                    \
    note(#name);                                              \
    if (next == 0) next = original(#name, version);           \
    return next(a, b, c, d, e, f);                            \
  }
#define REPLACE(name) REPLACE_VERSION(name, 0)

/* Memory: the names that dlsym itself needs have a second name. */
#define REPLACE_MEMORY(name)                                  \
  extern function __libc_##name;                              \
  word name(word a, word b, word c, word d, word e, word f) { \
    note(#name);                                              \
    return __libc_##name(a, b, c, d, e, f);                   \
  }
REPLACE_MEMORY(malloc)
REPLACE_MEMORY(calloc)
REPLACE_MEMORY(realloc)
REPLACE_MEMORY(memalign)
word free(word address) {
  extern void __libc_free(word);
  if (address != 0) note("free");
  __libc_free(address);
  return 0;
}
word aligned_alloc(word alignment, word size) {
  note("aligned_alloc");
  return __libc_memalign(alignment, size, 0, 0, 0, 0);
}
REPLACE(posix_memalign)
REPLACE(mmap)
REPLACE(mmap64)
REPLACE(munmap)
REPLACE(mprotect)
REPLACE(madvise)
REPLACE(mlock)

/* Locks and waits. */
REPLACE(pthread_mutex_lock)
REPLACE(pthread_mutex_trylock)
REPLACE(pthread_mutex_timedlock)
REPLACE(pthread_mutex_unlock)
REPLACE(pthread_rwlock_rdlock)
REPLACE(pthread_rwlock_wrlock)
REPLACE(pthread_rwlock_unlock)
REPLACE(pthread_spin_lock)
word pthread_create(word a, word b, word c, word d, word e, word f) {
  static function* next;
  const int try_again = 11; /* EAGAIN */
  note("pthread_create");
  if (refuses_threads) return try_again;
  if (next == 0) next = original("pthread_create", 0);
  return next(a, b, c, d, e, f);
}
REPLACE(pthread_join)
REPLACE(sem_wait)
REPLACE(sem_trywait)
REPLACE(sem_clockwait)
REPLACE(sem_timedwait)
REPLACE(sem_post)
REPLACE(nanosleep)
REPLACE(clock_nanosleep)
REPLACE(usleep)
REPLACE(sched_yield)
REPLACE(poll)
REPLACE(ppoll)
REPLACE(select)
REPLACE(epoll_wait)
#if defined(__x86_64__)
#define CONDITION_VERSION "GLIBC_2.3.2" /* without it, dlsym may return an older one */
#else
#define CONDITION_VERSION 0
#endif
REPLACE_VERSION(pthread_cond_wait, CONDITION_VERSION)
REPLACE_VERSION(pthread_cond_timedwait, CONDITION_VERSION)
REPLACE_VERSION(pthread_cond_signal, CONDITION_VERSION)
REPLACE_VERSION(pthread_cond_broadcast, CONDITION_VERSION)
REPLACE(pthread_cond_clockwait)

/* Files, sockets, processes, and whatever is called by number. */
REPLACE(open)
REPLACE(open64)
REPLACE(openat)
REPLACE(close)
REPLACE(read)
REPLACE(write)
REPLACE(pread)
REPLACE(pwrite)
REPLACE(lseek)
REPLACE(ioctl)
REPLACE(fcntl)
REPLACE(fopen)
REPLACE(fopen64)
REPLACE(fclose)
REPLACE(fread)
REPLACE(fwrite)
REPLACE(fputs)
REPLACE(puts)
REPLACE(fflush)
REPLACE(eventfd_read)
REPLACE(eventfd_write)
REPLACE(socketpair)
REPLACE(send)
REPLACE(recv)
REPLACE(kill)
REPLACE(waitpid)
REPLACE(posix_spawn)
REPLACE(dlopen)
REPLACE(getenv)
word syscall(word number, word a, word b, word c, word d, word e, word f) {
  static word (*next)(word, word, word, word, word, word, word);
  note("syscall");
  if (next == 0) next = (word(*)(word, word, word, word, word, word, word))original("syscall", 0);
  return next(number, a, b, c, d, e, f);
}

#endif
