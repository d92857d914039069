// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * drm_shmem_safe with several threads, many objects, and no memory.
 */

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/dma-buf.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/prandom.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

#include "drm_shmem_test.h"

#define RACE_THREADS	4
#define RACE_ROUNDS	(IS_ENABLED(CONFIG_KASAN) ? 500 : 3000)
#define RACE_UNBINDS	(IS_ENABLED(CONFIG_KASAN) ? 10 : 30)

struct race_page {
	DRM_VMAP(PAGE_SIZE);
};

struct race_page_owned {
	DRM_VMAP_OWNED(struct race_page);
};

/* One object, and what each thread does with it until it is told to stop. */
struct race {
	struct drm_device *drm;
	struct drm_shmem_obj *obj;
	int (*fn[RACE_THREADS])(struct race *race);
	atomic_t next;
	atomic_t errors;
	atomic_t did[RACE_THREADS];	/* successes of each function */
	unsigned int rounds;		/* 0: until stop */
	bool stop;
	struct mm_struct *mm;		/* where the object is mapped */
	unsigned long addr;
	struct completion started;
};

static int race_thread(void *data)
{
	struct race *race = data;
	const int nr = atomic_inc_return(&race->next) - 1;
	int (*fn)(struct race *race) = race->fn[nr];
	int ret;

	complete(&race->started);
	for (unsigned int i = 0; race->rounds ? i < race->rounds : !READ_ONCE(race->stop); i++) {
		ret = fn(race);
		if (!ret)
			atomic_inc(&race->did[nr]);
		else if (ret == -EIO)
			atomic_inc(&race->errors);
		cond_resched();
	}
	/* Keep the task for kthread_stop() */
	while (!kthread_should_stop())
		usleep_range(50, 100);
	return 0;
}

static int race_start(struct race *race, struct task_struct **tasks)
{
	int nr;

	init_completion(&race->started);
	for (nr = 0; nr < RACE_THREADS && race->fn[nr]; nr++) {
		tasks[nr] = kthread_run(race_thread, race, "shmem-race/%d", nr);
		if (IS_ERR(tasks[nr]))
			break;
	}
	for (int i = 0; i < nr; i++)
		wait_for_completion(&race->started);
	return nr;
}

static void race_stop(struct race *race, struct task_struct **tasks, int nr)
{
	WRITE_ONCE(race->stop, true);
	for (int i = 0; i < nr; i++)
		kthread_stop(tasks[i]);
}

/* -EIO stands for what must never be seen; other errors are part of the race. */
static int race_vmap(struct race *race)
{
	int ret;

	drm_vmap_or(race_page, map, race->obj, ret, return ret);
	drm_vmap_write32(map, 64, 1);
	return drm_vmap_read32(map, 0) == 0x600d600d ? 0 : -EIO;
}

static int race_vmap_owned(struct race *race)
{
	struct race_page_owned own __cleanup(drm_vmap_cleanup) = {};
	int ret = drm_vmap_own(&own, race->obj);

	if (ret)
		return ret;
	return drm_vmap_read32(&own, 0) == 0x600d600d ? 0 : -EIO;
}

/* As the core does for a dma-buf */
static int race_vmap_core(struct race *race)
{
	struct drm_gem_object *gem = &race->obj->base.base;
	struct iosys_map map;
	int ret = drm_gem_vmap(gem, &map);

	if (ret)
		return ret;
	ret = iosys_map_rd(&map, 0, u32) == 0x600d600d ? 0 : -EIO;
	drm_gem_vunmap(gem, &map);
	return ret;
}

static int race_table(const struct drm_dev_ctx_bound *bound, struct drm_shmem_obj *obj)
{
	struct scatterlist *sg;
	size_t bytes = 0;
	int i, ret;

	drm_shmem_sgt_or(sgt, bound, obj, ret, return ret);
	for_each_sgtable_dma_sg(drm_shmem_sgt_table(sgt), sg, i)
		bytes += sg_dma_len(sg);
	return bytes == obj->base.base.size ? 0 : -EIO;
}

static int race_sgt(struct race *race)
{
	drm_dev_ctx_or(test_reg, reg, test_ctx(race->drm), return -ESHUTDOWN);
	return race_table(&reg->base.bound, race->obj);
}

static int race_sgt_owned(struct race *race)
{
	struct drm_shmem_sgt_owned own = {};
	int ret;

	drm_dev_ctx_or(test_reg, reg, test_ctx(race->drm), return -ESHUTDOWN);
	ret = drm_shmem_sgt_own(&own, &reg->base.bound, race->obj);
	if (ret)
		return ret;
	drm_shmem_sgt_guard_owned(sgt, &reg->base.bound, &own, ret)
		ret = sg_dma_len(drm_shmem_sgt_table(sgt)->sgl) ? 0 : -EIO;
	drm_shmem_sgt_release(&own);
	return ret;
}

static int race_unmap(struct race *race)
{
	return drm_shmem_sgt_unmap(race->obj);
}

static struct drm_shmem_obj *race_obj(struct kunit *test)
{
	struct reclaim_bo *bo = shmem_test_reclaim_bo(test, 4 * PAGE_SIZE);
	int ret;

	drm_vmap_guard(race_page, map, &bo->obj, ret)
		drm_vmap_write32(map, 0, 0x600d600d);
	KUNIT_ASSERT_EQ(test, ret, 0);
	return &bo->obj;
}

static void race_run(struct kunit *test, struct race *race)
{
	struct task_struct *tasks[RACE_THREADS];
	int nr;

	race->rounds = RACE_ROUNDS;
	nr = race_start(race, tasks);
	race_stop(race, tasks, nr);
	KUNIT_EXPECT_EQ(test, nr, RACE_THREADS);
	KUNIT_EXPECT_EQ(test, atomic_read(&race->errors), 0);
}

/* First and last users of a mapping meet, and the core's, too. */
static void vmap_users(struct kunit *test)
{
	struct drm_shmem_obj *obj = race_obj(test);
	struct race race = {
		.obj = obj,
		.fn = { race_vmap, race_vmap_owned, race_vmap, race_vmap_core },
	};

	race_run(test, &race);
	for (int i = 0; i < RACE_THREADS; i++)
		KUNIT_EXPECT_EQ(test, atomic_read(&race.did[i]), RACE_ROUNDS);
	KUNIT_EXPECT_EQ(test, refcount_read(&obj->__vmap_users), 0);
	KUNIT_EXPECT_EQ(test, refcount_read(&obj->base.vmap_use_count), 0);
	KUNIT_EXPECT_EQ(test, kref_read(&obj->base.base.refcount), 1);
	drm_gem_object_put(&obj->base.base);
}

/* First users of a table meet, and the one that takes it away again. */
static void sgt_users(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_obj *obj = race_obj(test);
	struct race race = {
		.drm = t->drm,
		.obj = obj,
		.fn = { race_sgt, race_sgt_owned, race_sgt, race_unmap },
	};

	race_run(test, &race);
	for (int i = 0; i < RACE_THREADS - 1; i++)
		KUNIT_EXPECT_EQ(test, atomic_read(&race.did[i]), RACE_ROUNDS);
	KUNIT_EXPECT_EQ(test, drm_shmem_sgt_unmap(obj), 0);
	KUNIT_EXPECT_EQ(test, refcount_read(&obj->base.pages_pin_count), 0);
	drm_gem_object_put(&obj->base.base);
}

/* An object's flags change with its mapping, and say how its table is used. */
static void vmap_and_sgt_users(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_obj *obj = race_obj(test);
	struct race race = {
		.drm = t->drm,
		.obj = obj,
		.fn = { race_vmap, race_sgt, race_vmap_owned, race_sgt_owned },
	};

	race_run(test, &race);
	for (int i = 0; i < RACE_THREADS; i++)
		KUNIT_EXPECT_EQ(test, atomic_read(&race.did[i]), RACE_ROUNDS);
	KUNIT_EXPECT_EQ(test, refcount_read(&obj->__vmap_users), 0);
	drm_gem_object_put(&obj->base.base);
}

/* One handle that one thread has, while an evict step suspends it */
static struct drm_shmem_sgt_owned race_own;
static unsigned int race_owned, race_suspended;

static int race_own_release(struct race *race)
{
	int ret;

	drm_dev_ctx_or(test_reg, reg, test_ctx(race->drm), return -ESHUTDOWN);
	ret = drm_shmem_sgt_own(&race_own, &reg->base.bound, race->obj);
	/* On one processor, the others have to get there. */
	WRITE_ONCE(race_owned, race_owned + 1);
	if (race_owned % 32 == 0)
		usleep_range(1, 10);
	if (READ_ONCE(race_own.__own.__suspended))
		WRITE_ONCE(race_suspended, race_suspended + 1);
	drm_shmem_sgt_release(&race_own);
	return ret;
}

static int race_suspend(struct race *race)
{
	shmem_test_suspend(race->obj, &race_own);
	return 0;
}

/* Each thread has done its part often, and the handle was released suspended and not. */
static bool race_suspend_did(struct race *race)
{
	const unsigned int suspended = READ_ONCE(race_suspended);

	for (int i = 0; i < RACE_THREADS; i++)
		if (atomic_read(&race->did[i]) < RACE_ROUNDS)
			return false;
	return suspended >= 32 && READ_ONCE(race_owned) - suspended >= 32;
}

/* Exactly one of suspend and release gives up the user. */
static void suspend_against_release(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct drm_shmem_obj *obj = race_obj(test);
	struct race race = {
		.drm = t->drm,
		.obj = obj,
		.fn = { race_own_release, race_suspend, race_suspend, race_sgt },
	};
	struct task_struct *tasks[RACE_THREADS];
	int nr;

	race_owned = 0;
	race_suspended = 0;
	nr = race_start(&race, tasks);
	KUNIT_EXPECT_EQ(test, nr, RACE_THREADS);
	while (nr == RACE_THREADS && !race_suspend_did(&race))
		schedule_timeout_idle(1);
	race_stop(&race, tasks, nr);
	KUNIT_EXPECT_EQ(test, atomic_read(&race.errors), 0);
	KUNIT_EXPECT_EQ(test, refcount_read(&obj->__table.__users), 1);
	KUNIT_EXPECT_EQ(test, kref_read(&obj->base.base.refcount), 1);
	drm_gem_object_put(&obj->base.base);
}

/* A client that guesses mmap offsets */
static struct file *race_client;
static unsigned long race_guess;

static int race_lookup(struct race *race)
{
	struct vm_area_struct vma = { .vm_end = 2 * PAGE_SIZE, .vm_pgoff = race_guess };
	int ret = drm_gem_mmap(race_client, &vma);

	return ret == -EINVAL || ret == -EACCES ? 0 : -EIO;
}

static int race_create_fails(struct race *race)
{
	struct test_bo_unique *unique = drm_shmem_create(&test_bo_type, race->drm, 2 * PAGE_SIZE,
							 NULL);

	return IS_ERR(unique) ? 0 : -EIO;
}

/* The core shows objects before they are complete; each goes by its count. */
static void create_against_lookup(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct race race = {
		.drm = t->drm,
		.fn = { race_create_fails, race_lookup, race_create_fails, race_lookup },
	};
	struct drm_gem_shmem_object *shmem = drm_gem_shmem_create(t->drm, 2 * PAGE_SIZE);
	unsigned int refs;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, shmem);
	race_guess = drm_vma_node_start(&shmem->base.vma_node);
	drm_gem_object_put(&shmem->base);
	race_client = drm_safe_test_open(test, t->drm->render);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, race_client);
	refs = kref_read(&t->drm->ref);

	t->init_ret = -EXDEV;
	race_run(test, &race);
	for (int i = 0; i < RACE_THREADS; i++)
		KUNIT_EXPECT_EQ(test, atomic_read(&race.did[i]), RACE_ROUNDS);
	KUNIT_EXPECT_EQ(test, t->fini, 0);
	KUNIT_EXPECT_EQ(test, kref_read(&t->drm->ref), refs);
}

static int race_purge(struct race *race)
{
	return drm_shmem_purge(race->obj);
}

/* Once purged, always purged; whoever had it mapped before kept its contents. */
static void vmap_against_purge(struct kunit *test)
{
	struct shmem_test *t = test->priv;

	for (int i = 0; i < RACE_UNBINDS; i++) {
		struct drm_shmem_obj *obj = race_obj(test);
		struct race race = {
			.drm = t->drm,
			.obj = obj,
			.fn = { race_vmap, race_sgt, race_vmap_core, race_purge },
			.rounds = 50,
		};
		struct task_struct *tasks[RACE_THREADS];
		int nr, ret;

		KUNIT_EXPECT_EQ(test, drm_shmem_madvise(obj, DRM_SHMEM_DONTNEED, NULL), 1);
		nr = race_start(&race, tasks);
		race_stop(&race, tasks, nr);
		KUNIT_EXPECT_EQ(test, atomic_read(&race.errors), 0);
		KUNIT_EXPECT_EQ(test, drm_shmem_purge(obj), 0);
		drm_vmap_guard(race_page, map, obj, ret)
			KUNIT_FAIL(test, "mapped");
		KUNIT_EXPECT_EQ(test, ret, -ENODATA);
		drm_gem_object_put(&obj->base.base);
	}
}

/*
 * A page fault as of userspace. Looks at the page table entry with its lock held, where
 * nothing can take the page away, and not at the memory: kernels exist whose uaccess
 * does so without the lock.
 */
static int race_fault(struct race *race, unsigned int flags)
{
	struct follow_pfnmap_args args = { .address = race->addr + PAGE_SIZE };
	struct mm_struct *mm = race->mm;
	bool unlocked;
	int ret;

	mmap_read_lock(mm);
	ret = fixup_user_fault(mm, args.address, flags, &unlocked);
	args.vma = ret ? NULL : vma_lookup(mm, args.address);
	if (args.vma && !follow_pfnmap_start(&args)) {
		struct page **pages = READ_ONCE(race->obj->base.pages);

		if (!pages || page_to_pfn(pages[1]) != args.pfn)
			ret = -EIO;
		follow_pfnmap_end(&args);
	}
	mmap_read_unlock(mm);
	return ret;
}

static int race_read_fault(struct race *race)
{
	return race_fault(race, 0);
}

static int race_write_fault(struct race *race)
{
	return race_fault(race, FAULT_FLAG_WRITE);
}

static int race_evict(struct race *race)
{
	return drm_shmem_evict(race->obj);
}

/* Map the object into the address space that mapping the first one makes. */
static void race_mmap(struct kunit *test, struct race *race)
{
	struct drm_gem_object *gem = &race->obj->base.base;
	struct drm_vma_offset_node *node = &gem->vma_node;
	struct shmem_test *t = test->priv;
	long addr;

	KUNIT_ASSERT_EQ(test, drm_vma_node_allow(node, t->file), 0);
	addr = shmem_test_mmap(test, gem, MAP_SHARED);
	drm_vma_node_revoke(node, t->file);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_ASSERT_NE(test, addr, 0);
	race->addr = addr;
	race->mm = current->mm;
}

/* Faults of two threads and eviction: what is mapped is always the object's. */
static void fault_against_evict(struct kunit *test)
{
	struct drm_shmem_obj *obj = race_obj(test);
	struct race race = {
		.obj = obj,
		.fn = { race_read_fault, race_write_fault, race_vmap, race_evict },
	};

	race_mmap(test, &race);
	race_run(test, &race);
	for (int i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, atomic_read(&race.did[i]), RACE_ROUNDS);
	KUNIT_EXPECT_EQ(test, drm_shmem_evict(obj), 0);
	KUNIT_EXPECT_NULL(test, obj->base.pages);
	KUNIT_EXPECT_EQ(test, vm_munmap(race.addr, 4 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, kref_read(&obj->base.base.refcount), 1);
	drm_gem_object_put(&obj->base.base);
}

/* Once purged, no fault brings a page. */
static void fault_against_purge(struct kunit *test)
{
	for (int i = 0; i < RACE_UNBINDS; i++) {
		struct drm_shmem_obj *obj = race_obj(test);
		struct race race = {
			.obj = obj,
			.fn = { race_read_fault, race_write_fault, race_evict, race_purge },
			.rounds = 50,
		};
		struct task_struct *tasks[RACE_THREADS];
		int nr;

		race_mmap(test, &race);
		KUNIT_EXPECT_EQ(test, drm_shmem_madvise(obj, DRM_SHMEM_DONTNEED, NULL), 1);
		nr = race_start(&race, tasks);
		race_stop(&race, tasks, nr);
		KUNIT_EXPECT_EQ(test, atomic_read(&race.errors), 0);
		KUNIT_EXPECT_EQ(test, drm_shmem_purge(obj), 0);
		KUNIT_EXPECT_EQ(test, race_read_fault(&race), -EFAULT);
		KUNIT_EXPECT_NULL(test, obj->base.pages);
		KUNIT_EXPECT_EQ(test, vm_munmap(race.addr, 4 * PAGE_SIZE), 0);
		drm_gem_object_put(&obj->base.base);
	}
}

/* The device is unplugged, and then the mapping, which is all that kept the object, ends. */
static void fault_against_end(struct kunit *test)
{
	struct shmem_test *t = test->priv;

	for (int i = 0; i < RACE_UNBINDS; i++) {
		struct drm_shmem_obj *obj = race_obj(test);
		struct race race = {
			.drm = t->drm,
			.obj = obj,
			.fn = { race_read_fault, race_write_fault, race_read_fault },
		};
		struct task_struct *tasks[RACE_THREADS];
		int nr;

		race_mmap(test, &race);
		drm_gem_object_put(&obj->base.base);
		nr = race_start(&race, tasks);
		usleep_range(0, 100 * i);
		if (i == RACE_UNBINDS - 1)
			shmem_test_unbind(test);
		KUNIT_EXPECT_EQ(test, vm_munmap(race.addr, 4 * PAGE_SIZE), 0);
		race_stop(&race, tasks, nr);
		KUNIT_EXPECT_EQ(test, atomic_read(&race.errors), 0);
	}
}

/* Creates, maps and frees objects of its own while the device goes away. */
static int race_free(struct race *race)
{
	struct test_bo *bo = test_bo_new(race->drm, PAGE_SIZE, NULL);
	int ret = -ESHUTDOWN;

	if (IS_ERR(bo))
		return -EIO;
	drm_dev_ctx_guard(test_reg, reg, test_ctx(race->drm))
		ret = race_table(&reg->base.bound, &bo->obj);
	drm_shmem_put(&bo->obj);
	return ret;
}

/* Each of the threads maps, frees or unmaps when the parent is unbound. */
static void get_against_unbind(struct kunit *test)
{
	struct shmem_test *t = test->priv;

	for (int i = 0; i < RACE_UNBINDS; i++) {
		struct device *parent = drm_safe_test_parent(test);
		struct drm_device *drm = shmem_test_device(test, parent, &shmem_test_driver);
		struct test_bo *bo = test_bo_new(drm, PAGE_SIZE, NULL);
		struct race race = {
			.drm = drm,
			.fn = { race_sgt, race_free, race_free, race_sgt_owned },
		};
		struct task_struct *tasks[RACE_THREADS];
		int nr;

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
		race.obj = &bo->obj;
		nr = race_start(&race, tasks);
		usleep_range(0, 100 * i);
		drm_safe_test_unbind(test, parent);
		KUNIT_EXPECT_EQ(test, refcount_read(&bo->obj.base.pages_pin_count), 0);
		race_stop(&race, tasks, nr);
		KUNIT_EXPECT_EQ(test, atomic_read(&race.errors), 0);
		drm_shmem_put(&bo->obj);
	}
	KUNIT_EXPECT_EQ(test, t->live, 0);
}

/* Frees from other threads the objects that unbinding revokes. */
struct race_heap {
	struct test_bo **bo;
	unsigned int count;
	struct completion go;
};

static int race_heap_free(void *data)
{
	struct race_heap *heap = data;

	wait_for_completion(&heap->go);
	for (unsigned int i = heap->count; i--;)
		drm_shmem_put(&heap->bo[i]->obj);
	while (!kthread_should_stop())
		usleep_range(50, 100);
	return 0;
}

static void free_against_unbind(struct kunit *test)
{
	const unsigned int count = IS_ENABLED(CONFIG_KASAN) ? 200 : 2000;
	struct shmem_test *t = test->priv;
	struct race_heap heap = { .count = count };
	struct task_struct *task;

	heap.bo = kunit_kcalloc(test, count, sizeof(*heap.bo), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, heap.bo);
	for (int round = 0; round < 3; round++) {
		struct device *parent = drm_safe_test_parent(test);
		struct drm_device *drm = shmem_test_device(test, parent, &shmem_test_driver);

		init_completion(&heap.go);
		for (unsigned int i = 0; i < count; i++) {
			heap.bo[i] = test_bo_new(drm, PAGE_SIZE, NULL);
			KUNIT_ASSERT_NOT_ERR_OR_NULL(test, heap.bo[i]);
			drm_dev_ctx_guard(test_reg, reg, test_ctx(drm))
				KUNIT_EXPECT_EQ(test,
						race_table(&reg->base.bound, &heap.bo[i]->obj), 0);
		}
		task = kthread_run(race_heap_free, &heap, "shmem-free");
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
		complete(&heap.go);
		drm_safe_test_unbind(test, parent);
		kthread_stop(task);
		KUNIT_EXPECT_EQ(test, t->live, 0);
	}
}

enum many_order { MANY_FIFO, MANY_LIFO, MANY_RANDOM, MANY_UNBIND };

static const enum many_order many_orders[] = { MANY_FIFO, MANY_LIFO, MANY_RANDOM, MANY_UNBIND };

static void many_desc(const enum many_order *order, char *desc)
{
	static const char *const names[] = { "oldest first", "newest first", "random", "unbind" };

	strscpy(desc, names[*order], KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(many, many_orders, many_desc);

static void many_shuffle(struct test_bo **bo, unsigned int count)
{
	struct rnd_state rnd;

	prandom_seed_state(&rnd, 4711);
	for (unsigned int i = count - 1; i; i--) {
		unsigned int j = prandom_u32_state(&rnd) % (i + 1);

		swap(bo[i], bo[j]);
	}
}

static size_t many_devres(struct device *dev)
{
	guard(spinlock_irqsave)(&dev->devres_lock);
	return list_count_nodes(&dev->devres_head);
}

/*
 * Many objects with a table, in each order of going away. None of them adds to what the
 * driver core searches for each devres that goes.
 */
static void many(struct kunit *test)
{
	const unsigned int count = IS_ENABLED(CONFIG_KASAN) ? 2000 : 40000;
	const enum many_order order = *(const enum many_order *)test->param_value;
	struct shmem_test *t = test->priv;
	struct test_bo **bo = kvcalloc(count, sizeof(*bo), GFP_KERNEL);
	const size_t devres = many_devres(t->parent);
	unsigned int nr;

	KUNIT_ASSERT_NOT_NULL(test, bo);
	for (nr = 0; nr < count; nr++) {
		int ret = -1;

		bo[nr] = test_bo_new(t->drm, PAGE_SIZE, NULL);
		if (IS_ERR(bo[nr])) {
			KUNIT_FAIL(test, "create %u: %ld", nr, PTR_ERR(bo[nr]));
			break;
		}
		drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm))
			ret = race_table(&reg->base.bound, &bo[nr]->obj);
		if (ret)
			KUNIT_FAIL(test, "map %u: %d", nr, ret);
	}
	KUNIT_EXPECT_EQ(test, many_devres(t->parent), devres);
	if (order == MANY_UNBIND) {
		shmem_test_unbind(test);
		KUNIT_EXPECT_EQ(test, t->revoked, nr);
	}
	if (order == MANY_RANDOM)
		many_shuffle(bo, nr);
	for (unsigned int i = 0; i < nr; i++)
		drm_shmem_put(&bo[order == MANY_LIFO ? nr - 1 - i : i]->obj);
	kvfree(bo);
	KUNIT_EXPECT_EQ(test, t->live, 0);
	if (order != MANY_UNBIND)
		KUNIT_EXPECT_EQ(test, t->revoked, 0);
}

struct fail_ctx {
	struct dma_buf *dmabuf;
	bool leaked;
};

/* Every way to an allocation of this part, undone again. */
static int fail_everything(struct kunit *test, struct dma_buf *dmabuf)
{
	struct shmem_test *t = test->priv;
	struct race_page_owned own __cleanup(drm_vmap_cleanup) = {};
	struct drm_shmem_sgt_owned table = {};
	struct drm_gem_object *gem;
	u32 handle;
	int ret;

	struct test_bo_unique *unique __free(drm_shmem) =
		drm_shmem_create(&test_bo_type, t->drm, 4 * PAGE_SIZE, NULL);
	if (IS_ERR(unique))
		return PTR_ERR(unique);

	struct test_bo *bo __free(drm_shmem) = drm_shmem_publish(&test_bo_type, &unique);

	ret = drm_shmem_handle_create(&bo->obj, t->file, &handle);
	if (ret)
		return ret;
	drm_gem_handle_delete(t->file, handle);

	ret = drm_vmap_own(&own, &bo->obj);
	if (ret)
		return ret;
	drm_vmap_release(&own);

	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm)) {
		ret = drm_shmem_sgt_own(&table, &reg->base.bound, &bo->obj);
		drm_shmem_sgt_release(&table);
		if (!ret)
			ret = race_table(&reg->base.bound, &bo->obj);
	}
	if (ret)
		return ret;

	gem = t->drm->driver->gem_prime_import(t->drm, dmabuf);
	if (IS_ERR(gem))
		return PTR_ERR(gem);
	drm_dev_ctx_guard(test_reg, reg, test_ctx(t->drm))
		ret = race_table(&reg->base.bound, &drm_shmem_from_gem(&test_bo_type, gem)->obj);
	drm_gem_object_put(gem);
	return ret;
}

/* After each failure everything is as before: nothing alive, nothing held. */
static int fail_and_check(struct kunit *test, void *ctx)
{
	struct fail_ctx *fail = ctx;
	struct shmem_test *t = test->priv;
	unsigned int refs = kref_read(&t->drm->ref);
	int ret = fail_everything(test, fail->dmabuf);

	if (t->live || t->opened || kref_read(&t->drm->ref) != refs)
		fail->leaked = true;
	return ret;
}

static void allocations_fail(struct kunit *test)
{
	struct shmem_test_export e = {};
	struct dma_buf *dmabuf = shmem_test_export(test, &e, PAGE_SIZE);
	struct fail_ctx fail = { .dmabuf = dmabuf };
	unsigned int nr = drm_safe_fail_nth(test, fail_and_check, &fail);

	kunit_info(test, "%u allocations failed\n", nr);
	KUNIT_EXPECT_FALSE(test, fail.leaked);
	KUNIT_EXPECT_GT(test, nr, 10);
	shmem_test_export_put(dmabuf);
	KUNIT_EXPECT_EQ(test, atomic_read(&e.attached), 0);
	KUNIT_EXPECT_EQ(test, e.mapped, 0);
	KUNIT_EXPECT_TRUE(test, e.released);
}

static struct kunit_case drm_shmem_race_cases[] = {
	KUNIT_CASE(vmap_users),
	KUNIT_CASE(sgt_users),
	KUNIT_CASE(vmap_and_sgt_users),
	KUNIT_CASE(suspend_against_release),
	KUNIT_CASE(create_against_lookup),
	KUNIT_CASE(vmap_against_purge),
	KUNIT_CASE(fault_against_evict),
	KUNIT_CASE(fault_against_purge),
	KUNIT_CASE(fault_against_end),
	KUNIT_CASE_ATTR(get_against_unbind, {.speed = KUNIT_SPEED_VERY_SLOW}),
	KUNIT_CASE_ATTR(free_against_unbind, {.speed = KUNIT_SPEED_VERY_SLOW}),
	KUNIT_CASE_PARAM_ATTR(many, many_gen_params, {.speed = KUNIT_SPEED_VERY_SLOW}),
	KUNIT_CASE(allocations_fail),
	{}
};

static struct kunit_suite drm_shmem_race_suite = {
	.name = "drm_shmem_race",
	.init = shmem_test_init,
	.test_cases = drm_shmem_race_cases,
};

kunit_test_suite(drm_shmem_race_suite);
