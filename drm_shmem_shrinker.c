// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/debugfs.h>
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/sched/mm.h>
#include <linux/shrinker.h>
#include <linux/spinlock.h>
#include <linux/swap.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <drm/drm_drv.h>
#include <drm/drm_managed.h>

#include "drm_shmem_internal.h"

/* How long one scan waits for the fences of all objects together, in jiffies */
#define DRM_SHMEM_SCAN_WAIT	10

/**
 * DOC: shrinker
 *
 * To have its objects purged and evicted under memory pressure, a driver embeds a
 * &struct drm_shmem_shrinker in its device struct, calls drmm_shmem_shrinker_init(), and passes the
 * shrinker to drm_shmem_madvise(), and to drm_shmem_touch() for objects that the hardware is about
 * to use.
 * A scan takes the cheapest memory first:
 *
 * #. Contents that are not needed, mapped for the GPU or not.
 * #. Pages without a user. The object was mapped before, and its sg table is left.
 * #. Pages that userspace has mapped, and the GPU does not use.
 * #. Pages that the GPU uses for one group, group by group.
 * #. Pages that the GPU uses for several groups, or for none, or that importers of a dma-buf have
 *    mapped, if all of them can be asked to give them back.
 *
 * A group consists of objects that are used together by an address space, a context, or
 * a process. If its structure embeds a &struct drm_shmem_group, and drm_shmem_group_touch() is
 * called for each job, a scan evicts all objects of one group before it evicts any of the
 * next. The group whose last job is the oldest comes first. Evicting one object from each of
 * many groups would stop all of them.
 *
 * Each list has the least recently used object first. Objects of 2 to 5 are of a type with
 * DRM_SHMEM_RECLAIM. The GPU uses an object while an owned sg table is not suspended, and
 * after drm_shmem_touch(). The shrinker checks this when it reaches the object. If the object
 * has become harder to evict, the shrinker moves it to the right list, and leaves it alone.
 * No scan reaches pinned and purged objects, objects without pages, and objects with a dma-buf of
 * the driver's own operations. Nor does it reach objects of 1 that have a dma-buf, or an sg table
 * whose users are not counted.
 *
 * A scan waits for the fences of 4 and 5 if the allocation that it runs for may sleep, for no
 * more than a few jiffies in total. Otherwise it leaves these objects alone, and does not
 * count them. A scan that frees nothing, because of locks or fences, is repeated once before
 * the shrinker gives up.
 *
 * The shrinker holds a reference to the object that it works on, and only uses trylocks. It
 * holds the lock of the device's LRU lists while it looks for an object, and never across a
 * driver's step or the unmapping. If all other references are put meanwhile, a work item ends
 * the object, because ending it takes locks that memory reclaim must not wait for.
 *
 * A scan reports the pages that it really freed: for a purge the pages that were in memory,
 * for an eviction the pages that became swappable. The count before a scan is the size of the
 * objects that have something to give back: contents to purge, which may be swapped out, or
 * pages to evict, which may be in use. Other objects are not counted, and no scan reaches them.
 *
 * Each device has its own lists. Like other shrinkers of DRM, this one is not aware of memory
 * cgroups. The kernel calls it when the whole system is short of memory, and never for a memory
 * cgroup that has reached its ``memory.max``. Objects of such a client are not purged or evicted,
 * and its allocation fails if the cgroup has nothing else to give back.
 *
 * Panthor has a shrinker of this kind. This shrinker differs from it in three points, on purpose:
 *
 * - An object that two groups use stays with the shared objects until the GPU has no user of it.
 *   Panthor moves it back once one of its two address spaces has gone. Here it is evicted later.
 * - An object with more mappings than &drm_gpuvm_imm_type.max_evict is not evicted. The evict step
 *   runs in memory reclaim, so its time is bounded.
 * - The wait for fences is bounded for a whole scan, and not for each object.
 *
 * In the device's directory of debugfs, a write to ``drm_shmem_shrink`` scans for that many
 * pages, and a read tells how many pages the last scan freed.
 */

/* Without swap space, there is no place for the contents. */
VISIBLE_IF_KUNIT bool drm_shmem_can_swap(void)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_shmem_can_swap);

	return get_nr_swap_pages() > 0;
}
EXPORT_SYMBOL_IF_KUNIT(drm_shmem_can_swap);

/*
 * Returns whether the scan may sleep: if it runs in an allocation that may sleep, or in kswapd.
 */
static bool drm_shmem_can_wait(const struct shrink_control *sc)
{
	return (sc->gfp_mask & __GFP_DIRECT_RECLAIM) ||
	       ((sc->gfp_mask & __GFP_KSWAPD_RECLAIM) && current_is_kswapd());
}

/* Unlocked: an estimate. */
static unsigned long drm_shmem_list_count(const struct drm_shmem_shrinker *s,
					  enum __drm_shmem_list list)
{
	return READ_ONCE(s->__lrus[list].base.count);
}

static unsigned long drm_shmem_shrinker_count(struct shrinker *shrinker,
					      struct shrink_control *sc)
{
	struct drm_shmem_shrinker *s = shrinker->private_data;
	unsigned long count = drm_shmem_list_count(s, __DRM_SHMEM_PURGEABLE);

	if (drm_shmem_can_swap()) {
		count += drm_shmem_list_count(s, __DRM_SHMEM_UNUSED) +
			 drm_shmem_list_count(s, __DRM_SHMEM_MMAPPED);
		if (drm_shmem_can_wait(sc))
			count += READ_ONCE(s->__grouped) +
				 drm_shmem_list_count(s, __DRM_SHMEM_SHARED);
	}
	return count ?: SHRINK_EMPTY;
}

/*
 * One scan. @cursor is in the list of groups, right after @group, which the scan works on.
 * @group may have been freed, so it is only compared. @todo is the number of pages that the scan
 * has yet to look at in the current list, starting from the size of the list when the scan
 * reached it.
 */
struct drm_shmem_scan {
	struct drm_shmem_shrinker *s;
	unsigned long nr;
	unsigned long freed;
	bool contended;			/* locks or fences kept some objects */
	long wait;			/* remaining wait for fences, in jiffies */
	long todo;
	struct drm_shmem_group *group;
	struct drm_shmem_group cursor;	/* no shrinker, and no objects */
};

/* Returns how many pages a purge gives back, or a negative error code. */
static long drm_shmem_scan_purge(struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	/* Swapped-out pages and pages that never existed give no memory back. */
	long pages = READ_ONCE(file_inode(obj->base.base.filp)->i_mapping->nrpages);

	return __drm_shmem_purge_locked(obj) ?: pages;
}

static long drm_shmem_scan_evict(struct drm_shmem_obj *obj) __must_hold(drm_resv)
{
	long pages = obj->base.pages ? drm_shmem_pages(&obj->base.base) : 0;

	return __drm_shmem_evict_locked(obj) ?: pages;
}

/*
 * Returns whether an object belongs to a list that the scan reaches later, or never, and
 * moves it there. An object that has become easier to evict is evicted from its current
 * list.
 */
static bool drm_shmem_scan_skips(struct drm_shmem_scan *scan, struct drm_shmem_obj *obj,
				 enum __drm_shmem_list list) __must_hold(drm_resv)
{
	const enum __drm_shmem_list to = __drm_shmem_belongs(obj, scan->s);

	if (to != __DRM_SHMEM_UNLISTED && to <= list)
		return false;
	__drm_shmem_relist(obj);
	return true;
}

/* Waits for the fences of jobs. A scan that must not sleep does not get here. */
static void drm_shmem_scan_wait(struct drm_shmem_scan *scan, struct dma_resv *resv)
	__must_hold(drm_resv)
{
	long left;

	if (!scan->wait)
		return;
	left = dma_resv_wait_timeout(resv, DMA_RESV_USAGE_BOOKKEEP, false, scan->wait);
	scan->wait = clamp(left, 0L, scan->wait);
}

static long drm_shmem_scan_locked(struct drm_shmem_scan *scan, struct drm_shmem_obj *obj,
				  enum __drm_shmem_list list) __must_hold(drm_resv)
{
	if (drm_shmem_scan_skips(scan, obj, list))
		return 0;
	if (list == __DRM_SHMEM_PURGEABLE)
		return drm_shmem_scan_purge(obj);
	if (list >= __DRM_SHMEM_GROUPED)
		drm_shmem_scan_wait(scan, obj->base.base.resv);
	return drm_shmem_scan_evict(obj);
}

/* Trylock only: the holder of the lock may be in memory reclaim, too. */
static void drm_shmem_scan_one(struct drm_shmem_scan *scan, struct drm_gem_object *gem,
			       enum __drm_shmem_list list)
{
	/* Only objects of drm_shmem_madvise() and drm_shmem_touch() are on the lists. */
	struct drm_shmem_obj *obj = to_drm_shmem_obj(gem);
	long pages;

	if (!dma_resv_trylock(gem->resv)) {
		scan->contended = true;
		return;
	}
	pages = drm_shmem_scan_locked(scan, obj, list);
	if (pages < 0) {
		scan->contended = true;
	} else {
		scan->freed += pages;
		__drm_shmem_relist(obj);
	}
	dma_resv_unlock(gem->resv);
}

/*
 * Returns the next object of a list, with a reference. Moves the object to the end of the
 * list, so that objects in use do not keep the next scan from those behind them. An
 * object without references is being freed, and its end takes it off the list.
 */
static struct drm_gem_object *drm_shmem_scan_next_locked(struct drm_shmem_scan *scan,
							 struct __drm_shmem_lru *lru)
{
	struct drm_gem_object *gem;

	while (scan->todo > 0) {
		gem = drm_gem_lru_first_locked(&lru->base);
		if (!gem)
			return NULL;
		scan->todo -= drm_shmem_pages(gem);
		drm_gem_lru_move_tail_locked(&lru->base, gem);
		if (drm_gem_object_get_unless_zero(gem))
			return gem;
	}
	return NULL;
}

static struct drm_gem_object *drm_shmem_scan_next(struct drm_shmem_scan *scan,
						  struct __drm_shmem_lru *lru)
{
	guard(mutex)(&scan->s->__drm->gem_lru_mutex);
	return drm_shmem_scan_next_locked(scan, lru);
}

/* Moves on to the next group that has objects. Returns false if there is none. */
static bool drm_shmem_scan_next_group(struct drm_shmem_scan *scan)
{
	struct drm_shmem_group *group = &scan->cursor;

	list_for_each_entry_continue(group, &scan->s->__groups, __node) {
		/* Cursors of other scans have no objects, either. */
		if (!group->__lru.base.count)
			continue;
		list_move(&scan->cursor.__node, &group->__node);
		scan->group = group;
		scan->todo = group->__lru.base.count;
		return true;
	}
	return false;
}

/* A group that is no longer in front of the cursor has just been used, or has ended. */
static bool drm_shmem_scan_has_group(struct drm_shmem_scan *scan)
{
	struct drm_shmem_group *group = &scan->cursor;

	list_for_each_entry_continue_reverse(group, &scan->s->__groups, __node)
		/* Cursors of other scans have no shrinker. */
		if (group->__lru.shrinker)
			return group == scan->group;
	return false;
}

static struct drm_gem_object *drm_shmem_scan_next_grouped(struct drm_shmem_scan *scan)
{
	struct drm_gem_object *gem = NULL;

	guard(mutex)(&scan->s->__drm->gem_lru_mutex);
	do {
		if (drm_shmem_scan_has_group(scan))
			gem = drm_shmem_scan_next_locked(scan, &scan->group->__lru);
	} while (!gem && drm_shmem_scan_next_group(scan));
	return gem;
}

/*
 * Leaves an object without references, which no other task can find any more, to
 * @s->__end. The work item holds references to the device, which embeds it, and to the
 * driver, whose steps it calls. Here, the object and the scan still hold both. The scan
 * puts neither, because the end of the device waits for the scan.
 */
static void drm_shmem_shrinker_bury(struct drm_shmem_shrinker *s, struct drm_gem_object *gem)
{
	struct drm_device *drm = s->__drm;
	struct module *owner = drm_dev_ctx_owner(drm);

	guard(mutex)(&drm->gem_lru_mutex);
	__drm_shmem_lru_move_locked(gem, &s->__lrus[__DRM_SHMEM_DEAD]);
	if (s->__ending)
		return;
	s->__ending = true;
	drm_dev_get(drm);
	__module_get(owner);
	__drm_shmem_queue(__DRM_SHMEM_ENDS, &s->__end);
}

/* Gives up the reference of drm_shmem_scan_next(). */
static void drm_shmem_shrinker_put(struct drm_shmem_shrinker *s, struct drm_gem_object *gem)
{
	if (drm_gem_object_put_and_test(gem))
		drm_shmem_shrinker_bury(s, gem);
}

/* If there is none, the next object without references queues the work item again. */
static struct drm_gem_object *drm_shmem_shrinker_dead(struct drm_shmem_shrinker *s)
{
	struct drm_gem_object *gem;

	guard(mutex)(&s->__drm->gem_lru_mutex);
	gem = drm_gem_lru_first_locked(&s->__lrus[__DRM_SHMEM_DEAD].base);
	s->__ending = !!gem;
	return gem;
}

static void drm_shmem_shrinker_end(struct work_struct *work)
{
	struct drm_shmem_shrinker *s = container_of(work, struct drm_shmem_shrinker, __end);
	struct drm_device *drm = s->__drm;
	struct module *owner = drm_dev_ctx_owner(drm);
	struct drm_gem_object *gem;

	/* Ending an object takes it off the list. */
	while ((gem = drm_shmem_shrinker_dead(s)))
		drm_gem_object_free_dead(gem);

	/* @s and @work may be freed with the device. */
	drm_dev_put(drm);
	module_put(owner);
}

static bool drm_shmem_scan_is_done(const struct drm_shmem_scan *scan)
{
	return scan->freed >= scan->nr;
}

static void drm_shmem_scan_list(struct drm_shmem_scan *scan, enum __drm_shmem_list list)
{
	struct __drm_shmem_lru *lru = &scan->s->__lrus[list];
	struct drm_gem_object *gem;

	/* Unlocked: objects that join the list concurrently are left to the next scan. */
	scan->todo = READ_ONCE(lru->base.count);
	while (!drm_shmem_scan_is_done(scan)) {
		gem = drm_shmem_scan_next(scan, lru);
		if (!gem)
			break;
		drm_shmem_scan_one(scan, gem, list);
		drm_shmem_shrinker_put(scan->s, gem);
	}
}

/* Scans the least recently used group first, and all of it before the next one. */
static void drm_shmem_scan_groups(struct drm_shmem_scan *scan)
{
	struct mutex *lock = &scan->s->__drm->gem_lru_mutex;
	/* Unlocked: a group that is used meanwhile comes again, perhaps without an end. */
	long left = READ_ONCE(scan->s->__grouped);
	struct drm_gem_object *gem;

	scoped_guard(mutex, lock)
		list_add(&scan->cursor.__node, &scan->s->__groups);
	while (left > 0 && !drm_shmem_scan_is_done(scan)) {
		gem = drm_shmem_scan_next_grouped(scan);
		if (!gem)
			break;
		left -= drm_shmem_pages(gem);
		drm_shmem_scan_one(scan, gem, __DRM_SHMEM_GROUPED);
		drm_shmem_shrinker_put(scan->s, gem);
	}
	scoped_guard(mutex, lock)
		list_del(&scan->cursor.__node);
}

static void drm_shmem_scan_all(struct drm_shmem_scan *scan, bool can_wait)
{
	drm_shmem_scan_list(scan, __DRM_SHMEM_PURGEABLE);
	if (!drm_shmem_can_swap())
		return;
	drm_shmem_scan_list(scan, __DRM_SHMEM_UNUSED);
	drm_shmem_scan_list(scan, __DRM_SHMEM_MMAPPED);
	if (!can_wait)
		return;
	drm_shmem_scan_groups(scan);
	drm_shmem_scan_list(scan, __DRM_SHMEM_SHARED);
}

/* If the scan freed nothing because of locks or fences, asks the kernel to repeat it once. */
static unsigned long drm_shmem_scan_result(struct drm_shmem_shrinker *s,
					   const struct drm_shmem_scan *scan)
{
	WRITE_ONCE(s->__last, scan->freed);
	if (!scan->freed && scan->contended && !atomic_xchg_relaxed(&s->__repeats, 1))
		return 0;
	atomic_set(&s->__repeats, 0);
	return scan->freed ?: SHRINK_STOP;
}

static unsigned long drm_shmem_shrinker_scan(struct shrinker *shrinker,
					     struct shrink_control *sc)
{
	struct drm_shmem_shrinker *s = shrinker->private_data;
	struct drm_shmem_scan scan = {
		.s = s,
		.nr = sc->nr_to_scan,
		.wait = DRM_SHMEM_SCAN_WAIT,
	};
	/* Not from the driver, which may be gone: see drm_shmem_shrinker_unregister(). */
	struct module *owner = s->__owner;

	/* No object may end later if the driver is being unloaded. */
	if (!try_module_get(owner))
		return SHRINK_STOP;
	drm_shmem_scan_all(&scan, drm_shmem_can_wait(sc));
	module_put(owner);

	/* A scan frees whole objects. If it frees more than asked for, the kernel asks for less. */
	sc->nr_scanned = max(sc->nr_to_scan, scan.freed);
	return drm_shmem_scan_result(s, &scan);
}

static int drm_shmem_shrink_get(void *data, u64 *val)
{
	const struct drm_shmem_shrinker *s = data;

	*val = READ_ONCE(s->__last);
	return 0;
}

/* Does what memory reclaim would do, and shows lockdep the same context. */
static int drm_shmem_shrink_set(void *data, u64 val)
{
	struct drm_shmem_shrinker *s = data;
	struct shrink_control sc = {
		.gfp_mask = GFP_KERNEL,
		.nr_to_scan = min_t(u64, val, ULONG_MAX),
	};

	fs_reclaim_acquire(GFP_KERNEL);
	s->__shrinker->scan_objects(s->__shrinker, &sc);
	fs_reclaim_release(GFP_KERNEL);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(drm_shmem_shrink_fops, drm_shmem_shrink_get, drm_shmem_shrink_set,
			 "%llu\n");

static const char drm_shmem_shrink_name[] = "drm_shmem_shrink";

/* The core removes the directory when it unregisters the device. */
static void drm_shmem_shrinker_hide(struct drm_device *drm)
{
	if (!IS_ERR_OR_NULL(drm->debugfs_root))
		debugfs_lookup_and_remove(drm_shmem_shrink_name, drm->debugfs_root);
}

/*
 * All shrinkers that are registered, or that some task is just unregistering. The lock is not held
 * while a task unregisters, because that waits for scans, and so for the driver's steps.
 */
static DEFINE_SPINLOCK(drm_shmem_shrinkers_lock);
static __guarded_by(&drm_shmem_shrinkers_lock) LIST_HEAD(drm_shmem_shrinkers);
/* Woken when a shrinker was taken off the list */
static DECLARE_WAIT_QUEUE_HEAD(drm_shmem_shrinkers_left);

static void drm_shmem_shrinker_register(struct drm_shmem_shrinker *s)
{
	/* The driver is not being unloaded, since it calls this. */
	shrinker_register(s->__shrinker);
	guard(spinlock)(&drm_shmem_shrinkers_lock);
	list_add(&s->__node, &drm_shmem_shrinkers);
}

/* Returns whether the caller has to unregister it. */
static bool drm_shmem_shrinker_claim(struct drm_shmem_shrinker *s)
	__must_hold(&drm_shmem_shrinkers_lock)
{
	const bool first = !s->__leaves;

	s->__leaves = true;
	return first;
}

/* When this returns, no scan runs, and none looks at the driver's module any more. */
static void drm_shmem_shrinker_unregister(struct drm_shmem_shrinker *s)
{
	drm_shmem_shrinker_hide(s->__drm);
	shrinker_free(s->__shrinker);
	/* @s may be freed as soon as it is off the list. */
	scoped_guard(spinlock, &drm_shmem_shrinkers_lock)
		list_del_init(&s->__node);
	wake_up_all(&drm_shmem_shrinkers_left);
}

/* Returns a shrinker of a driver for the caller to unregister, or NULL if none is left. */
static struct drm_shmem_shrinker *drm_shmem_shrinker_claim_of(const struct module *owner)
{
	struct drm_shmem_shrinker *s;

	guard(spinlock)(&drm_shmem_shrinkers_lock);
	list_for_each_entry(s, &drm_shmem_shrinkers, __node)
		if (s->__owner == owner && drm_shmem_shrinker_claim(s))
			return s;
	return NULL;
}

static bool drm_shmem_driver_has_shrinker(const struct module *owner)
{
	struct drm_shmem_shrinker *s;

	guard(spinlock)(&drm_shmem_shrinkers_lock);
	list_for_each_entry(s, &drm_shmem_shrinkers, __node)
		if (s->__owner == owner)
			return true;
	return false;
}

/**
 * drm_shmem_driver_goes() - a driver is about to be freed
 * @owner: its module
 *
 * Unregisters the shrinkers of devices that outlive their driver, because of an object that was not
 * put.
 *
 * Context: May sleep.
 */
VISIBLE_IF_KUNIT void drm_shmem_driver_goes(const struct module *owner)
{
	struct drm_shmem_shrinker *s;

	/* The end of the device waits for this to be off the list. */
	while ((s = drm_shmem_shrinker_claim_of(owner)))
		drm_shmem_shrinker_unregister(s);
	/* The end of a device unregisters one meanwhile. */
	wait_event(drm_shmem_shrinkers_left, !drm_shmem_driver_has_shrinker(owner));
}
EXPORT_SYMBOL_IF_KUNIT(drm_shmem_driver_goes);

static int drm_shmem_module_notify(struct notifier_block *nb, unsigned long state, void *module)
{
	/* The exit function has run, so the parents of its devices are unbound. */
	if (state == MODULE_STATE_GOING)
		drm_shmem_driver_goes(module);
	return NOTIFY_DONE;
}

static struct notifier_block drm_shmem_module_nb = {
	.notifier_call = drm_shmem_module_notify,
};

static bool drm_shmem_shrinker_is_listed(struct drm_shmem_shrinker *s)
{
	guard(spinlock)(&drm_shmem_shrinkers_lock);
	return !list_empty(&s->__node);
}

static void drm_shmem_shrinker_free(struct drm_device *drm, void *res)
{
	struct drm_shmem_shrinker *s = res;
	bool mine;

	scoped_guard(spinlock, &drm_shmem_shrinkers_lock)
		mine = drm_shmem_shrinker_claim(s);
	if (mine)
		drm_shmem_shrinker_unregister(s);
	/* The driver's module is being unloaded, and that task unregisters the shrinker. */
	else
		wait_event(drm_shmem_shrinkers_left, !drm_shmem_shrinker_is_listed(s));
	s->__drm = NULL;
}

static void drm_shmem_shrinker_init_lists(struct drm_shmem_shrinker *s)
{
	for (int i = 0; i < ARRAY_SIZE(s->__lrus); i++) {
		drm_gem_lru_init(&s->__lrus[i].base);
		s->__lrus[i].list = i;
		s->__lrus[i].shrinker = s;
	}
	INIT_LIST_HEAD(&s->__groups);
	INIT_WORK(&s->__end, drm_shmem_shrinker_end);
}

/* Teaches lockdep which locks memory reclaim takes, before there is memory pressure. */
static void drm_shmem_shrinker_prime(struct drm_device *drm)
{
	fs_reclaim_acquire(GFP_KERNEL);
	might_lock(&drm->gem_lru_mutex);
	fs_reclaim_release(GFP_KERNEL);
}

/**
 * drmm_shmem_shrinker_init() - purge and evict objects under memory pressure
 * @drm: the device
 * @shrinker: zeroed, and as long-lived as the device
 *
 * Context: May sleep. Undone when the device is released, or when its driver is unloaded.
 *
 * Return: 0, -EBUSY if @shrinker is in use, -ENOMEM.
 */
int drmm_shmem_shrinker_init(struct drm_device *drm,
			     struct drm_shmem_shrinker *shrinker)
{
	struct shrinker *s;

	if (shrinker->__drm) {
		drm_safe_broken(drm, "a shrinker is initialised once",
				"already in use: each device needs its own struct");
		return -EBUSY;
	}

	s = shrinker_alloc(0, "drm-%s", drm->unique);
	if (!s)
		return -ENOMEM;

	shrinker->__drm = drm;
	shrinker->__shrinker = s;
	shrinker->__leaves = false;
	drm_shmem_shrinker_init_lists(shrinker);
	shrinker->__owner = drm_dev_ctx_owner(drm);
	drm_shmem_shrinker_prime(drm);
	s->count_objects = drm_shmem_shrinker_count;
	s->scan_objects = drm_shmem_shrinker_scan;
	s->private_data = shrinker;
	drm_shmem_shrinker_register(shrinker);
	/* An unplugged device has no directory, and the file would go to the root of debugfs. */
	if (!IS_ERR_OR_NULL(drm->debugfs_root))
		debugfs_create_file(drm_shmem_shrink_name, 0600, drm->debugfs_root, shrinker,
				    &drm_shmem_shrink_fops);

	return drmm_add_action_or_reset(drm, drm_shmem_shrinker_free, shrinker);
}
EXPORT_SYMBOL_GPL(drmm_shmem_shrinker_init);

void __init __drm_shmem_reclaim_init(void)
{
	/* Cannot fail: this is not in the list yet. */
	register_module_notifier(&drm_shmem_module_nb);
}

void __drm_shmem_reclaim_exit(void)
{
	unregister_module_notifier(&drm_shmem_module_nb);
}
