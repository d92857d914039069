// SPDX-License-Identifier: GPL-2.0-only OR MIT
// locking: add functions that tell whether the caller holds a mutex
//
// A helper that documents which lock its caller must hold can only check this with lockdep.
// mutex_is_locked() and dma_resv_is_locked() are true for the lock of any task. So the kernels that
// users run, which have no lockdep, cannot tell a driver's mistake from a correct call.
//
// Add functions that compare the owner with the caller. They need no lock and no barrier: a task
// becomes the owner by its own call, or by a task that hands over the lock while it waits, and only
// the owner itself ends that. They are for checks, and for the code after a failed check: a call that
// cannot return an error is reported, and then must not wait for a lock that its caller holds. Taking
// a lock unless it is already held, without a report, is as wrong as before. "drm/safe: add entries
// that end with the binding of a device" and "drm/safe: add the state of a table that ends with the
// binding" are the first users.
//
// Files: include/linux/mutex.h kernel/locking/mutex.c kernel/locking/rtmutex_api.c
// Files: include/linux/ww_mutex.h include/linux/dma-resv.h

@@
typedef bool;
identifier lock;
@@
+bool mutex_held_by_current(struct mutex *lock);
 extern unsigned long mutex_get_owner(struct mutex *lock);

@@
typedef bool;
identifier lock;
declarer name EXPORT_SYMBOL_GPL;
@@
 unsigned long mutex_get_owner(struct mutex *lock) { ... }
+/**
+ * mutex_held_by_current - does this task hold a mutex?
+ * @lock: the mutex to be queried
+ *
+ * For checks of what a caller must hold. Not for taking a lock only if it is not held.
+ *
+ * Return: true if the caller holds the mutex, false if another task does, or none.
+ */
+bool mutex_held_by_current(struct mutex *lock)
+{
+	return __mutex_owner(lock) == current;
+}
+EXPORT_SYMBOL_GPL(mutex_held_by_current);

@@
typedef bool;
identifier mutex;
declarer name EXPORT_SYMBOL_GPL;
@@
 static void __mutex_rt_init_generic(struct mutex *mutex) { ... }
+bool mutex_held_by_current(struct mutex *lock)
+{
+	return rt_mutex_owner(&lock->rtmutex) == current;
+}
+EXPORT_SYMBOL_GPL(mutex_held_by_current);

@@
typedef bool;
identifier lock;
@@
+/**
+ * ww_mutex_held_by_current - does this task hold a w/w mutex?
+ * @lock: the mutex to be queried
+ *
+ * See mutex_held_by_current().
+ *
+ * Return: true if the caller holds the mutex, false if another task does, or none.
+ */
+static inline bool ww_mutex_held_by_current(struct ww_mutex *lock)
+{
+#ifdef CONFIG_PREEMPT_RT
+	return rt_mutex_owner(&lock->base.rtmutex) == current;
+#else
+	return mutex_held_by_current(&lock->base);
+#endif
+}
+
 extern void ww_mutex_unlock(struct ww_mutex *lock);

@@
typedef bool;
identifier obj;
@@
+/**
+ * dma_resv_held_by_current - does this task hold the lock of a reservation object?
+ * @obj: the reservation object
+ *
+ * See mutex_held_by_current().
+ *
+ * Return: true if the caller holds the lock, false if another task does, or none.
+ */
+static inline bool dma_resv_held_by_current(struct dma_resv *obj)
+{
+	return ww_mutex_held_by_current(&obj->lock);
+}
+#define dma_resv_held_by_current dma_resv_held_by_current
+
 void dma_resv_init(struct dma_resv *obj);
