// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <kunit/visibility.h>
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/export.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <drm/drm_print.h>

#include "drm_shmem_internal.h"

/**
 * DOC: list of objects
 *
 * With CONFIG_DEBUG_FS, the file drm_shmem of debugfs lists all objects of all devices, also
 * those that no file has a handle of, such as rings and firmware: the task that made them,
 * their size, state and label, and the sums for each device. An object is "evicted" if it has no
 * pages and had some; "evictable" is the size of the objects that a shrinker would evict. An
 * object is listed from the success of its init step until its last reference is put. An object
 * that was leaked because a rule was broken stays listed. Objects that are not of shmem are not
 * listed, and have no label, even with a &struct drm_gem_sgt: only their driver knows how much
 * memory they have, and where. drm_shmem_ends_bytes() tells the size of those whose end was put
 * off.
 */

#ifdef CONFIG_DEBUG_FS

/* A device that has objects. If an object was leaked, this outlives the driver. */
struct drm_shmem_listed {
	struct list_head node;
	struct list_head objs;		/* their rows */
	struct drm_device *drm;		/* kept by each object */
	char driver[];			/* a copy of its name */
};

/*
 * The data that only debugfs needs of an object. Most objects have a row. It is not part of the
 * object, which would no longer fit into 512 bytes.
 *
 * Invariants:
 *
 * - Once an object has a row, it keeps it until its memory is freed.
 * - @listed is NULL, or the entry that the row is on. @listed and @label change under the lock of
 *   the lists. The other members are constant.
 */
struct drm_shmem_row {
	struct list_head node;
	struct drm_shmem_listed *listed;
	struct drm_shmem_obj *obj;
	char *label;
	pid_t creator;
	char comm[TASK_COMM_LEN];
};

static struct drm_shmem_row *drm_shmem_row_alloc(struct drm_shmem_obj *obj)
{
	struct drm_shmem_row *row = kzalloc_obj(*row, GFP_KERNEL_ACCOUNT);

	if (!row)
		return NULL;
	row->obj = obj;
	row->creator = task_tgid_nr(current);
	strscpy(row->comm, current->group_leader->comm);
	return row;
}

static struct drm_shmem_listed *drm_shmem_listed_alloc(const struct drm_device *drm)
{
	const size_t len = strlen(drm->driver->name) + 1;
	struct drm_shmem_listed *listed = kzalloc(struct_size(listed, driver, len),
						  GFP_KERNEL_ACCOUNT);

	if (listed)
		memcpy(listed->driver, drm->driver->name, len);
	return listed;
}

/*
 * Taken when an object is freed, also in memory reclaim, so nothing may be allocated while it
 * is held. An object on a list is not freed while the lock is held.
 */
static DEFINE_MUTEX(drm_shmem_list_lock);
static __guarded_by(&drm_shmem_list_lock) LIST_HEAD(drm_shmem_listed_devices);
static struct dentry *drm_shmem_list_dentry;

static struct drm_shmem_listed *drm_shmem_listed_find(const struct drm_device *drm)
	__must_hold(&drm_shmem_list_lock)
{
	struct drm_shmem_listed *listed;

	list_for_each_entry(listed, &drm_shmem_listed_devices, node)
		if (listed->drm == drm)
			return listed;
	return NULL;
}

/*
 * Returns the entry of the object's device. If there is none yet, uses @spare, which becomes
 * NULL.
 */
static struct drm_shmem_listed *drm_shmem_listed_get(struct drm_device *drm,
						     struct drm_shmem_listed **spare)
	__must_hold(&drm_shmem_list_lock)
{
	struct drm_shmem_listed *listed = drm_shmem_listed_find(drm);

	if (listed || !*spare)
		return listed;
	listed = *spare;
	*spare = NULL;
	listed->drm = drm;
	INIT_LIST_HEAD(&listed->objs);
	list_add_tail(&listed->node, &drm_shmem_listed_devices);
	return listed;
}

/* Returns the object's row. If it has none yet, gives it @spare, which becomes NULL. */
static struct drm_shmem_row *drm_shmem_row_get(struct drm_shmem_obj *obj,
					       struct drm_shmem_row **spare)
	__must_hold(&drm_shmem_list_lock)
{
	if (!obj->__row) {
		WRITE_ONCE(obj->__row, *spare);
		*spare = NULL;
	}
	return obj->__row;
}

static bool drm_shmem_try_list(struct drm_shmem_obj *obj, struct drm_shmem_row **row,
			       struct drm_shmem_listed **spare)
{
	struct drm_shmem_listed *listed;

	guard(mutex)(&drm_shmem_list_lock);
	listed = drm_shmem_listed_get(obj->base.base.dev, spare);
	if (!listed)
		return false;
	drm_shmem_row_get(obj, row)->listed = listed;
	list_add_tail(&obj->__row->node, &listed->objs);
	return true;
}

/**
 * __drm_shmem_show() - show an object to debugfs
 * @obj: the object, which is complete
 *
 * Without memory for its row, an object is not shown.
 *
 * Context: May sleep.
 */
void __drm_shmem_show(struct drm_shmem_obj *obj)
{
	struct drm_shmem_listed *spare = NULL;
	struct drm_shmem_row *row = NULL;

	/* Unlocked: an object keeps its row. It has one if the init step has set a label. */
	if (!READ_ONCE(obj->__row)) {
		row = drm_shmem_row_alloc(obj);
		if (!row)
			return;
	}
	if (!drm_shmem_try_list(obj, &row, &spare)) {
		/* The device's first one */
		spare = drm_shmem_listed_alloc(obj->base.base.dev);
		if (spare)
			drm_shmem_try_list(obj, &row, &spare);
		kfree(spare);
	}
	/* The object has another row, or is not shown. */
	kfree(row);
}

/**
 * __drm_shmem_hide() - undo __drm_shmem_show()
 * @obj: the object, which is about to end, and may not have been listed
 *
 * When this returns, debugfs no longer looks at the object.
 *
 * Context: May sleep, also in memory reclaim.
 */
void __drm_shmem_hide(struct drm_shmem_obj *obj)
{
	struct drm_shmem_row *row = obj->__row;
	struct drm_shmem_listed *listed = row ? row->listed : NULL;

	if (!listed)
		return;
	guard(mutex)(&drm_shmem_list_lock);
	list_del(&row->node);
	row->listed = NULL;
	if (!list_empty(&listed->objs))
		return;
	list_del(&listed->node);
	kfree(listed);
}

/**
 * __drm_shmem_free_row() - free what debugfs knows of an object
 * @obj: the object, which no task has, and which is on no list
 *
 * Context: May sleep, also in memory reclaim.
 */
void __drm_shmem_free_row(struct drm_shmem_obj *obj)
{
	if (obj->__row)
		kfree(obj->__row->label);
	kfree(obj->__row);
}

/*
 * Gives the object a new label, which may be NULL, and frees the old one. On failure frees the new
 * one.
 */
static int drm_shmem_replace_label(struct drm_shmem_obj *obj, char *label)
{
	struct drm_shmem_row *spare = NULL;

	/* Unlocked: an object keeps its row. */
	if (label && !READ_ONCE(obj->__row)) {
		spare = drm_shmem_row_alloc(obj);
		if (!spare) {
			kfree(label);
			return -ENOMEM;
		}
	}
	scoped_guard(mutex, &drm_shmem_list_lock)
		if (drm_shmem_row_get(obj, &spare))
			swap(obj->__row->label, label);
	kfree(spare);
	kfree(label);
	return 0;
}

/* Returns a copy of a userspace string, NULL for an empty string, or an ERR_PTR(). */
static char *drm_shmem_copy_label(const char __user *label)
{
	const long len = strnlen_user(label, DRM_SHMEM_LABEL_MAX);
	char *copy;

	if (!len)
		return ERR_PTR(-EFAULT);
	if (len > DRM_SHMEM_LABEL_MAX)
		return ERR_PTR(-E2BIG);
	if (len == 1)
		return NULL;
	copy = kmalloc(len, GFP_KERNEL_ACCOUNT);
	if (!copy)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(copy, label, len)) {
		kfree(copy);
		return ERR_PTR(-EFAULT);
	}
	/* Userspace can change the string meanwhile. */
	copy[len - 1] = '\0';
	return copy;
}

/**
 * drm_shmem_set_label() - give an object a name for people
 * @obj: the object
 * @label: the name, which is copied; NULL and "" remove it
 *
 * Debugfs shows it. Without CONFIG_DEBUG_FS, this does nothing.
 *
 * Context: May sleep.
 *
 * Return: 0; -E2BIG if it has DRM_SHMEM_LABEL_MAX bytes or more; or -ENOMEM. On failure the
 * object keeps its old label.
 */
int drm_shmem_set_label(struct drm_shmem_obj *obj, const char *label)
{
	char *copy = NULL;

	if (label && *label) {
		if (strnlen(label, DRM_SHMEM_LABEL_MAX) == DRM_SHMEM_LABEL_MAX)
			return -E2BIG;
		copy = kstrdup(label, GFP_KERNEL_ACCOUNT);
		if (!copy)
			return -ENOMEM;
	}
	return drm_shmem_replace_label(obj, copy);
}
EXPORT_SYMBOL_GPL(drm_shmem_set_label);

/**
 * __drm_shmem_set_label_user() - drm_shmem_set_label() with a userspace string
 * @obj: the object
 * @label: userspace pointer to the name
 *
 * See drm_shmem_set_label_user(), which drivers call.
 *
 * Context: May sleep, and fault. Without any reservation lock.
 *
 * Return: 0 or a negative error code.
 */
int __drm_shmem_set_label_user(struct drm_shmem_obj *obj, const char __user *label)
{
	char *copy = drm_shmem_copy_label(label);

	if (IS_ERR(copy))
		return PTR_ERR(copy);
	return drm_shmem_replace_label(obj, copy);
}
EXPORT_SYMBOL_GPL(__drm_shmem_set_label_user);

/* Sums over the objects of a device, in bytes */
struct drm_shmem_sums {
	u64 size, resident, purgeable, evictable, imported;
	unsigned int objects;
};

/* Prints the words for an object's state. Unlocked: the state may change meanwhile. */
static void drm_shmem_show_state(struct seq_file *m, struct drm_shmem_obj *obj,
				 enum drm_gem_object_status status)
{
	const bool resident = status & DRM_GEM_OBJECT_RESIDENT;
	/* Stale when it is printed */
	const bool purged = data_race(obj->base.madv) < 0;
	const struct {
		bool is;
		const char *word;
	} words[] = {
		{ drm_gem_is_imported(&obj->base.base), "imported" },
		{ atomic_read(&obj->__dma_bufs), "exported" },
		{ resident, "resident" },
		{ !resident && !purged && READ_ONCE(obj->__evictions), "evicted" },
		{ drm_shmem_has_sgt(obj), "mapped" },
		{ drm_shmem_has_vmap(obj), "vmapped" },
		{ refcount_read(&obj->__mmaps), "mmapped" },
		/* Stale, too */
		{ data_race(obj->__table.__pins), "pinned" },
		{ status & DRM_GEM_OBJECT_PURGEABLE, "purgeable" },
		{ purged, "purged" },
	};
	bool any = false;

	for (int i = 0; i < ARRAY_SIZE(words); i++) {
		if (!words[i].is)
			continue;
		seq_printf(m, "%c%s", any ? ',' : ' ', words[i].word);
		any = true;
	}
	if (!any)
		seq_puts(m, " -");
}

/* Prints how many segments the table has, unless another task holds the lock. */
static void drm_shmem_show_segments(struct seq_file *m, struct drm_shmem_obj *obj)
	__context_unsafe("a lock that is tried")
{
	struct dma_resv *resv = obj->base.base.resv;

	if (!dma_resv_trylock(resv)) {
		seq_puts(m, " ?");
		return;
	}
	seq_printf(m, " %u", drm_shmem_has_sgt(obj) ? obj->__table.__sgt->nents : 0);
	dma_resv_unlock(resv);
}

static void drm_shmem_show_row(struct seq_file *m, const struct drm_shmem_row *row,
			       struct drm_shmem_sums *sums)
	__must_hold(&drm_shmem_list_lock)
{
	struct drm_shmem_obj *obj = row->obj;
	struct drm_gem_object *gem = &obj->base.base;
	const enum drm_gem_object_status status = drm_shmem_funcs_status(gem);

	/* The object has begun to end, but is still on this list. */
	if (!drm_gem_object_has_refs(gem))
		return;
	seq_puts(m, "  ");
	seq_escape(m, row->comm, " \t\n\\");
	seq_printf(m, "/%d %zu %u", row->creator, gem->size, drm_gem_handles(gem));
	drm_shmem_show_segments(m, obj);
	seq_printf(m, " %u", READ_ONCE(obj->__evictions));
	drm_shmem_show_state(m, obj, status);
	if (row->label) {
		seq_putc(m, ' ');
		seq_escape(m, row->label, "\t\n\\");
	}
	seq_putc(m, '\n');

	sums->objects++;
	sums->size += gem->size;
	if (drm_gem_is_imported(gem))
		sums->imported += gem->size;
	if (!(status & DRM_GEM_OBJECT_RESIDENT))
		return;
	sums->resident += gem->size;
	if (status & DRM_GEM_OBJECT_PURGEABLE)
		sums->purgeable += gem->size;
	else if (__drm_shmem_is_evictable(obj))
		sums->evictable += gem->size;
}

static void drm_shmem_show_device(struct seq_file *m, const struct drm_shmem_listed *listed)
	__must_hold(&drm_shmem_list_lock)
{
	struct drm_shmem_sums sums = {};
	const struct drm_shmem_row *row;

	seq_printf(m, "%s %s\n", dev_name(listed->drm->dev), listed->driver);
	list_for_each_entry(row, &listed->objs, node) {
		/* seq_file will call this again with a larger buffer, so release the lock early. */
		if (seq_has_overflowed(m))
			return;
		drm_shmem_show_row(m, row, &sums);
	}
	seq_printf(m, "  objects %u size %llu resident %llu purgeable %llu evictable %llu imported %llu\n",
		   sums.objects, sums.size, sums.resident, sums.purgeable, sums.evictable,
		   sums.imported);
}

VISIBLE_IF_KUNIT int drm_shmem_list_show(struct seq_file *m, void *data)
{
	struct drm_shmem_listed *listed;

	seq_puts(m, "device driver\n  creator/tgid size handles segments evictions state [label]\n");
	guard(mutex)(&drm_shmem_list_lock);
	list_for_each_entry(listed, &drm_shmem_listed_devices, node)
		drm_shmem_show_device(m, listed);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(drm_shmem_list_show);
DEFINE_SHOW_ATTRIBUTE(drm_shmem_list);

void __drm_shmem_list_init(void)
{
	drm_shmem_list_dentry = debugfs_create_file("drm_shmem", 0400, NULL, NULL,
						    &drm_shmem_list_fops);
}

void __drm_shmem_list_exit(void)
{
	debugfs_remove(drm_shmem_list_dentry);
}

#endif /* CONFIG_DEBUG_FS */
