// SPDX-License-Identifier: GPL-2.0-only OR MIT
// workqueue: let a helper choose the lockdep class of a work item
//
// INIT_WORK() and its like take the lockdep class of a work item from their place in the source. A
// helper that initialises the work items of all drivers in one place gives all of them one class, and
// lockdep reports deadlocks between drivers that have nothing to do with each other.
//
// Add a function that sets name and key, like lockdep_set_class_and_name(), which work items cannot
// use because their map has another name.
//
// Files: include/linux/workqueue.h

@@
typedef bool;
identifier cpu, wq, work;
@@
+/**
+ * work_set_class - set the lockdep class of a work item
+ * @work: the work item, initialised and not queued yet
+ * @name: the name of the class
+ * @key: the key of the class
+ */
+static inline void work_set_class(struct work_struct *work, const char *name,
+				  struct lock_class_key *key)
+{
+#ifdef CONFIG_LOCKDEP
+	lockdep_init_map(&work->lockdep_map, name, key, 0);
+#endif
+}
+#define work_set_class work_set_class
+
 extern bool queue_work_on(int cpu, struct workqueue_struct *wq, struct work_struct *work);
