// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Several objects at once: drm_shmem_objs.c
 */

#include <linux/mman.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>

#include <drm/drm_drv.h>

#include <trace/events/kmem.h>

#include "drm_shmem_internal.h"
#include "drm_shmem_test.h"

struct test_bos {
	DRM_SHMEM_OBJS(struct test_bo);
};

/* More than are looked up at once */
#define OBJS_MANY	150

struct objs_args {
	u64 flags;
	u32 handle;
	u32 pad;
};

struct objs_test {
	struct test_bo *bo[3];
	u32 handle[3];
	u32 other;		/* of an object of another type */
	struct reclaim_bo *reclaim;
};

static void objs_make(struct kunit *test, struct objs_test *o)
{
	struct shmem_test *t = test->priv;

	for (int i = 0; i < ARRAY_SIZE(o->bo); i++) {
		o->bo[i] = shmem_test_bo(test, SZ_4K);
		KUNIT_ASSERT_EQ(test, drm_shmem_handle_create(&o->bo[i]->obj, t->file,
							      &o->handle[i]), 0);
	}
	o->reclaim = shmem_test_reclaim_bo(test, SZ_4K);
	KUNIT_ASSERT_EQ(test, drm_shmem_handle_create(&o->reclaim->obj, t->file, &o->other), 0);
}

static unsigned int objs_refs(struct drm_shmem_obj *obj)
{
	return kref_read(&drm_shmem_gem(obj)->refcount);
}

/* One of the test, and one of the handle */
static void objs_expect_untouched(struct kunit *test, struct objs_test *o)
{
	for (int i = 0; i < ARRAY_SIZE(o->bo); i++)
		KUNIT_EXPECT_EQ(test, objs_refs(&o->bo[i]->obj), 2);
	KUNIT_EXPECT_EQ(test, objs_refs(&o->reclaim->obj), 2);
}

static void objs_end(struct kunit *test, struct objs_test *o)
{
	objs_expect_untouched(test, o);
	drm_shmem_put(&o->reclaim->obj);
}

static u32 __user *objs_user(struct kunit *test, const u32 *handles, u32 count)
{
	unsigned long addr = kunit_vm_mmap(test, NULL, 0, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
					   MAP_ANONYMOUS | MAP_PRIVATE, 0);

	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_ASSERT_NE(test, addr, 0);
	KUNIT_ASSERT_EQ(test, copy_to_user((void __user *)addr, handles,
					   count * sizeof(*handles)), 0);
	return (u32 __user *)addr;
}

static void objs_in_order(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct objs_test o;
	struct test_bo *bo;
	u32 i, seen = 0;

	objs_make(test, &o);
	{
		u32 handles[] = { o.handle[2], o.handle[0], o.handle[1] };
		struct test_bos *bos __free(drm_shmem_objs) =
			drm_shmem_lookup_user(&test_bo_type, test_bos, t->file,
					      objs_user(test, handles, 3), 3, 3);

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bos);
		KUNIT_EXPECT_EQ(test, drm_shmem_objs_count(bos), 3);
		drm_shmem_objs_for_each(i, bo, bos) {
			KUNIT_EXPECT_PTR_EQ(test, bo, o.bo[(i + 2) % 3]);
			KUNIT_EXPECT_PTR_EQ(test, drm_shmem_objs_at(bos, i), bo);
			KUNIT_EXPECT_EQ(test, objs_refs(&bo->obj), 3);
			seen++;
		}
		KUNIT_EXPECT_NULL(test, drm_shmem_objs_at(bos, 3));
		KUNIT_EXPECT_NULL(test, drm_shmem_objs_at(bos, U64_MAX));
		KUNIT_EXPECT_NULL(test, drm_shmem_objs_at(bos, BIT_ULL(32)));
	}
	KUNIT_EXPECT_EQ(test, seen, 3);
	objs_end(test, &o);
}

/* All or none, wherever the bad handle stands */
static void objs_all_or_none(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct objs_test o;

	objs_make(test, &o);
	for (int at = 0; at < 3; at++) {
		u32 handles[] = { o.handle[0], o.handle[1], o.handle[2] };
		const u32 __user *user;

		handles[at] = o.other;
		user = objs_user(test, handles, 3);
		KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EINVAL),
				    (void *)drm_shmem_lookup_user(&test_bo_type, test_bos, t->file,
								  user, 3, 3));
		handles[at] = 0;
		KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-ENOENT),
				    (void *)drm_shmem_lookup_handles(&test_bo_type, test_bos,
								     t->file, handles, 3));
		objs_expect_untouched(test, &o);
	}
	objs_end(test, &o);
}

/* More than one chunk, and each object as often as its handle */
static void objs_duplicates(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct objs_test o;
	struct test_bos *bos;
	u32 *handles = kunit_kcalloc(test, OBJS_MANY + 1, sizeof(*handles), GFP_KERNEL);
	struct test_bo *bo;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, handles);
	objs_make(test, &o);
	for (i = 0; i < OBJS_MANY; i++)
		handles[i] = o.handle[i % 3];

	bos = drm_shmem_lookup_user(&test_bo_type, test_bos, t->file,
				    objs_user(test, handles, OBJS_MANY), OBJS_MANY, OBJS_MANY);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bos);
	drm_shmem_objs_for_each(i, bo, bos)
		KUNIT_EXPECT_PTR_EQ(test, bo, o.bo[i % 3]);
	KUNIT_EXPECT_EQ(test, i, OBJS_MANY);
	KUNIT_EXPECT_EQ(test, objs_refs(&o.bo[0]->obj), 2 + OBJS_MANY / 3);
	drm_shmem_objs_free(bos);
	objs_expect_untouched(test, &o);

	/* The last one of the last chunk */
	handles[OBJS_MANY] = o.other;
	bos = drm_shmem_lookup_handles(&test_bo_type, test_bos, t->file, handles, OBJS_MANY + 1);
	KUNIT_EXPECT_PTR_EQ(test, (void *)bos, ERR_PTR(-EINVAL));
	objs_end(test, &o);
}

static void objs_bounded(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct objs_test o;
	struct test_bos *bos;

	objs_make(test, &o);
	/* Not even looked at: the pointer is none. */
	bos = drm_shmem_lookup_user(&test_bo_type, test_bos, t->file, (void __user *)1, 4, 3);
	KUNIT_EXPECT_PTR_EQ(test, (void *)bos, ERR_PTR(-E2BIG));
	bos = drm_shmem_lookup_user(&test_bo_type, test_bos, t->file, (void __user *)1,
				    U32_MAX, 1024);
	KUNIT_EXPECT_PTR_EQ(test, (void *)bos, ERR_PTR(-E2BIG));
	/* A number of more than 32 bits is not truncated. */
	bos = drm_shmem_lookup_user(&test_bo_type, test_bos, t->file, (void __user *)1,
				    BIT_ULL(32) + 1, U32_MAX);
	KUNIT_EXPECT_PTR_EQ(test, (void *)bos, ERR_PTR(-E2BIG));
	bos = drm_shmem_lookup_handles(&test_bo_type, test_bos, t->file, o.handle, BIT_ULL(32));
	KUNIT_EXPECT_PTR_EQ(test, (void *)bos, ERR_PTR(-E2BIG));
	/* A driver whose limit is none gets an error, and no warning. */
	bos = drm_shmem_lookup_user(&test_bo_type, test_bos, t->file, (void __user *)1,
				    U32_MAX, U32_MAX);
	KUNIT_EXPECT_PTR_EQ(test, (void *)bos, ERR_PTR(-ENOMEM));
	objs_end(test, &o);
}

static void objs_none(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct test_bos *bos;
	struct test_bo *bo;
	u32 i;

	bos = drm_shmem_lookup_user(&test_bo_type, test_bos, t->file, NULL, 0, 16);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bos);
	KUNIT_EXPECT_EQ(test, drm_shmem_objs_count(bos), 0);
	KUNIT_EXPECT_NULL(test, drm_shmem_objs_at(bos, 0));
	drm_shmem_objs_for_each(i, bo, bos)
		KUNIT_FAIL(test, "%p in an empty array", bo);
	drm_shmem_objs_free(bos);
	drm_shmem_objs_free((struct test_bos *)NULL);
}

/* In the middle of the handles, and of the objects before */
static void objs_fault(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct objs_test o;
	const u32 __user *user;
	const u32 count = 2 * PAGE_SIZE / sizeof(u32);
	struct test_bos *bos;
	u32 *handles = kunit_kcalloc(test, count, sizeof(*handles), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, handles);
	objs_make(test, &o);
	for (u32 i = 0; i < count; i++)
		handles[i] = o.handle[0];
	user = objs_user(test, handles, count);
	KUNIT_ASSERT_EQ(test, vm_munmap((unsigned long)user + PAGE_SIZE, PAGE_SIZE), 0);
	bos = drm_shmem_lookup_user(&test_bo_type, test_bos, t->file, user, count, count);
	KUNIT_EXPECT_PTR_EQ(test, (void *)bos, ERR_PTR(-EFAULT));
	objs_end(test, &o);
}

static void objs_members(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct objs_test o;

	objs_make(test, &o);
	{
		struct objs_args args[] = {
			{ .handle = o.handle[1] }, { .handle = o.handle[1] },
			{ .handle = o.handle[2] },
		};
		struct test_bos *bos __free(drm_shmem_objs) =
			drm_shmem_lookup_members(&test_bo_type, test_bos, t->file, args,
						 ARRAY_SIZE(args), handle);

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bos);
		KUNIT_EXPECT_PTR_EQ(test, drm_shmem_objs_at(bos, 0), o.bo[1]);
		KUNIT_EXPECT_PTR_EQ(test, drm_shmem_objs_at(bos, 1), o.bo[1]);
		KUNIT_EXPECT_PTR_EQ(test, drm_shmem_objs_at(bos, 2), o.bo[2]);
	}
	objs_end(test, &o);
}

/* A job keeps the array, and the objects for as long as that. */
static void objs_keep(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct objs_test o;
	struct test_bos *kept;

	objs_make(test, &o);
	{
		struct test_bos *bos __free(drm_shmem_objs) =
			drm_shmem_lookup_handles(&test_bo_type, test_bos, t->file, o.handle, 3);

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bos);
		kept = no_free_ptr(bos);
	}
	for (int i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(t->file, o.handle[i]), 0);
	KUNIT_EXPECT_EQ(test, objs_refs(&o.bo[0]->obj), 2);
	KUNIT_EXPECT_EQ(test, t->fini, 0);
	drm_shmem_objs_free(kept);
	KUNIT_EXPECT_EQ(test, objs_refs(&o.bo[0]->obj), 1);
	drm_shmem_put(&o.reclaim->obj);
}

static int objs_lock_all(struct test_bos *bos, u32 flags)
{
	struct drm_exec exec;
	int ret = 0;

	drm_exec_init(&exec, flags, drm_shmem_objs_count(bos));
	drm_exec_until_all_locked(&exec) {
		ret = drm_shmem_objs_prepare(&exec, bos, 1);
		drm_exec_retry_on_contention(&exec);
		if (ret)
			break;
	}
	if (!ret)
		dma_resv_assert_held(drm_shmem_gem(&drm_shmem_objs_at(bos, 0)->obj)->resv);
	drm_exec_fini(&exec);
	return ret;
}

static void objs_lock(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct objs_test o;
	struct test_bos *bos;

	objs_make(test, &o);
	bos = drm_shmem_lookup_handles(&test_bo_type, test_bos, t->file, o.handle, 3);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bos);
	KUNIT_EXPECT_EQ(test, objs_lock_all(bos, 0), 0);
	drm_shmem_objs_free(bos);

	{
		u32 twice[] = { o.handle[0], o.handle[1], o.handle[0] };

		bos = drm_shmem_lookup_handles(&test_bo_type, test_bos, t->file, twice, 3);
	}
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bos);
	KUNIT_EXPECT_EQ(test, objs_lock_all(bos, 0), -EALREADY);
	KUNIT_EXPECT_EQ(test, objs_lock_all(bos, DRM_EXEC_IGNORE_DUPLICATES), 0);
	drm_shmem_objs_free(bos);
	objs_end(test, &o);
}

/* The task of a KUnit case is a kthread, which a signal does not reach unless it asks for it. */
static void objs_killed(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct objs_test o;
	struct test_bos *bos;

	objs_make(test, &o);
	allow_signal(SIGKILL);
	send_sig(SIGKILL, current, 1);
	KUNIT_EXPECT_TRUE(test, fatal_signal_pending(current));
	bos = drm_shmem_lookup_handles(&test_bo_type, test_bos, t->file, o.handle, 3);
	flush_signals(current);
	disallow_signal(SIGKILL);
	KUNIT_EXPECT_PTR_EQ(test, (void *)bos, ERR_PTR(-EINTR));
	objs_end(test, &o);
}

/* The copy outlives the array, and has the objects that this had. */
static void objs_dup(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct objs_test o;
	struct test_bos *bos, *copy;
	struct test_bo *bo;
	u32 i;

	objs_make(test, &o);
	{
		u32 handles[] = { o.handle[2], o.handle[0], o.handle[2] };

		bos = drm_shmem_lookup_handles(&test_bo_type, test_bos, t->file, handles, 3);
	}
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bos);
	copy = drm_shmem_objs_dup(bos);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, copy);
	KUNIT_EXPECT_PTR_NE(test, copy, bos);
	KUNIT_EXPECT_EQ(test, objs_refs(&o.bo[2]->obj), 2 + 4);
	drm_shmem_objs_free(bos);

	KUNIT_EXPECT_EQ(test, drm_shmem_objs_count(copy), 3);
	drm_shmem_objs_for_each(i, bo, copy)
		KUNIT_EXPECT_PTR_EQ(test, bo, i == 1 ? o.bo[0] : o.bo[2]);
	KUNIT_EXPECT_EQ(test, objs_refs(&o.bo[2]->obj), 2 + 2);
	drm_shmem_objs_free(copy);
	objs_end(test, &o);
}

struct objs_allocs {
	struct task_struct *task;
	unsigned int arrays, unaccounted;
};

static void objs_kmalloc_probe(void *data, unsigned long call_site, const void *ptr,
			       size_t bytes_req, size_t bytes_alloc, gfp_t gfp, int node)
{
	struct objs_allocs *allocs = data;

	if (current != allocs->task)
		return;
	if (bytes_req == struct_size_t(struct drm_shmem_objs, __obj, 3))
		allocs->arrays++;
	allocs->unaccounted += !(gfp & __GFP_ACCOUNT);
}

static void objs_accounted(struct kunit *test)
{
	struct shmem_test *t = test->priv;
	struct objs_allocs allocs = { .task = current };
	struct objs_test o;
	struct test_bos *bos, *copy;

	if (!IS_ENABLED(CONFIG_TRACEPOINTS))
		kunit_skip(test, "needs CONFIG_TRACEPOINTS");
	objs_make(test, &o);
	KUNIT_ASSERT_EQ(test, register_trace_kmalloc(objs_kmalloc_probe, &allocs), 0);
	bos = drm_shmem_lookup_handles(&test_bo_type, test_bos, t->file, o.handle, 3);
	copy = IS_ERR(bos) ? NULL : drm_shmem_objs_dup(bos);
	unregister_trace_kmalloc(objs_kmalloc_probe, &allocs);
	tracepoint_synchronize_unregister();
	KUNIT_EXPECT_EQ(test, allocs.arrays, 2);
	KUNIT_EXPECT_EQ(test, allocs.unaccounted, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bos);
	drm_shmem_objs_free(bos);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, copy);
	drm_shmem_objs_free(copy);
	objs_end(test, &o);
}

static int objs_lookup_once(struct kunit *test, void *ctx)
{
	struct shmem_test *t = test->priv;
	struct objs_test *o = ctx;
	struct test_bos *bos __free(drm_shmem_objs) =
		drm_shmem_lookup_handles(&test_bo_type, test_bos, t->file, o->handle, 3);
	struct test_bos *copy __free(drm_shmem_objs) = NULL;

	if (IS_ERR(bos))
		return PTR_ERR(bos);
	copy = drm_shmem_objs_dup(bos);
	return PTR_ERR_OR_ZERO(copy);
}

static void objs_no_memory(struct kunit *test)
{
	struct objs_test o;

	objs_make(test, &o);
	KUNIT_EXPECT_GE(test, drm_safe_fail_nth(test, objs_lookup_once, &o), 2);
	objs_end(test, &o);
}

static struct kunit_case drm_shmem_objs_cases[] = {
	KUNIT_CASE(objs_in_order),
	KUNIT_CASE(objs_all_or_none),
	KUNIT_CASE(objs_duplicates),
	KUNIT_CASE(objs_bounded),
	KUNIT_CASE(objs_none),
	KUNIT_CASE(objs_fault),
	KUNIT_CASE(objs_members),
	KUNIT_CASE(objs_keep),
	KUNIT_CASE(objs_lock),
	KUNIT_CASE(objs_killed),
	KUNIT_CASE(objs_dup),
	KUNIT_CASE(objs_accounted),
	KUNIT_CASE(objs_no_memory),
	{}
};

static struct kunit_suite drm_shmem_objs_suite = {
	.name = "drm_shmem_objs",
	.init = shmem_test_init,
	.test_cases = drm_shmem_objs_cases,
};

kunit_test_suite(drm_shmem_objs_suite);
