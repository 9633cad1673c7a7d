// What Tests/sanitize loads into programs with the thread sanitizer: it tells it what it cannot see of Swift's runtime, which is
// not instrumented (Swift 6.3, Linux). Without it these are taken for races; whatever else is one is told as ever.
//
// - A contended Synchronization.Mutex is waited for, and let go of, inside libswiftSynchronization: what one holder did comes
//   before what the next one does. An uncontended one is inlined into our own code, where the sanitizer sees it.
// - What went before the resume of a continuation comes before what its task does then. The runtime tells this of a task that
//   waits, and not of one that is resumed before it does: told here when it begins to wait, which leaves a moment.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

// Synchronization._MutexHandle._lockSlow(UInt32) and ._unlockSlow(), of which `self` is the lock's word.
#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"
#define SWIFT __attribute__((swiftcall))
#define ASYNC __attribute__((swiftasynccall))
#define SELF __attribute__((swift_context)) void *self

// Weak: of programs that have no sanitizer, as those that a test starts, or no tasks.
__attribute__((weak)) void __tsan_acquire(void *);
__attribute__((weak)) void __tsan_release(void *);
SWIFT __attribute__((weak)) void *swift_task_getCurrent(void);

SWIFT void lock_slow(uint32_t thread, SELF) __asm__(LOCK);
SWIFT void unlock_slow(SELF) __asm__(UNLOCK);
ASYNC void swift_continuation_await(void *continuation);

SWIFT void lock_slow(uint32_t thread, SELF) {
    SWIFT void (*lock)(uint32_t, SELF) = (SWIFT void (*)(uint32_t, SELF))dlsym(RTLD_NEXT, LOCK);
    lock(thread, self);
    if (__tsan_acquire) __tsan_acquire(self);
}

SWIFT void unlock_slow(SELF) {
    SWIFT void (*unlock)(SELF) = (SWIFT void (*)(SELF))dlsym(RTLD_NEXT, UNLOCK);
    if (__tsan_release) __tsan_release(self);
    unlock(self);
}

ASYNC void swift_continuation_await(void *continuation) {
    ASYNC void (*await)(void *) = (ASYNC void (*)(void *))dlsym(RTLD_NEXT, "swift_continuation_await");
    if (__tsan_acquire) __tsan_acquire(swift_task_getCurrent());
    __attribute__((musttail)) return await(continuation);
}
