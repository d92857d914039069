// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The third side of the pairs: the kernel's Rust abstractions, in bench_rust.rs. A row has the name
 * of the pair that does the same work. On one processor only: these figures are instructions.
 */

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_ioctl.h>

#include "bench.h"
#include "bench_rust.h"
#include "drm_safe_test.h"

/* As in bench_gpuvm.c */
#define BENCH_OPS	1024u

struct bench_rust_row {
	const char *name;
	bench_fn *fn;
	unsigned int loops;
};

static const struct bench_rust_row bench_rust_rows[] = {
	{ "guard", bench_rust_guard, 100000 },
	{ "vmap borrowed, hot", bench_rust_borrowed, 100000 },
	{ "vmap owned, hot", bench_rust_owned, 100000 },
	{ "write, constant offset", bench_rust_write, 1000000 },
	{ "write, masked offset", bench_rust_masked, 1000000 },
	{ "write, element of a table", bench_rust_table, 1000000 },
	{ "write, checked offset", bench_rust_checked, 1000000 },
	{ "read, constant offset", bench_rust_read, 1000000 },
	{ "read, masked offset", bench_rust_read_masked, 1000000 },
	{ "read, element of a table", bench_rust_read_table, 1000000 },
	{ "write, memory of either kind", bench_rust_either, 1000000 },
	{ "write, I/O memory", bench_rust_io, 1000000 },
	{ "copy of 64 bytes", bench_rust_copy_64, 100000 },
	{ "copy of 4 KiB", bench_rust_copy_4k, 20000 },
	{ "sg table, repeated", bench_rust_sgt, 100000 },
	{ "create and free 64 KiB", bench_rust_create, 2000 },
	{ "create, first vmap, free", bench_rust_cold_vmap, 500 },
	{ "create, first sg table, free", bench_rust_cold_sgt, 500 },
};

static const struct bench_rust_row bench_rust_vm_rows[] = {
	{ "obtain", bench_rust_obtain },
	{ "map", bench_rust_map },
	{ "unmap", bench_rust_unmap },
	{ "split", bench_rust_split },
	{ "whole driver path", bench_rust_path },
};

struct bench_rust {
	struct kunit *test;
	struct device *parent;
	void *ctx;
};

static void bench_rust_start(struct kunit *test, struct bench_rust *b)
{
	b->test = test;
	b->parent = drm_safe_test_parent(test);
	b->ctx = bench_rust_new(b->parent);
	KUNIT_ASSERT_NOT_NULL(test, b->ctx);
}

static void bench_rust_end(struct bench_rust *b)
{
	KUNIT_EXPECT_FALSE(b->test, bench_rust_free(b->ctx));
}

static u64 ioctl_rust(void *ctx, unsigned int loops)
{
	struct file *filp = ctx;
	const struct drm_file *file = filp->private_data;
	const struct drm_ioctl_desc *desc = file->minor->dev->driver->ioctls;
	struct {
		u64 param;
		u64 value;
	} args = { .param = 1 };

	return BENCH_LOOP(loops, drm_ioctl_kernel(filp, desc->func, &args, desc->flags));
}

static void bench_rust_one(struct kunit *test)
{
	struct bench_rust b = {};
	struct file *filp;

	bench_rust_start(test, &b);
	filp = drm_safe_test_open(test, bench_rust_drm(b.ctx)->render);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, filp);
	bench_third(test, "ioctl dispatch", ioctl_rust, 100000, 0, filp);
	for (int i = 0; i < ARRAY_SIZE(bench_rust_rows); i++)
		bench_third(test, bench_rust_rows[i].name, bench_rust_rows[i].fn,
			    bench_rust_rows[i].loops, 0, b.ctx);
	drm_safe_test_close(test, filp);
	bench_rust_end(&b);
}

static u64 alloc_rust(void *ctx, unsigned int loops)
{
	struct bench_rust *b = ctx;

	return BENCH_LOOP(loops, ({
		KUNIT_ASSERT_EQ(b->test, bench_rust_alloc_once(b->parent), 0);
		drm_safe_test_rebind(b->test, b->parent);
	}));
}

static u64 register_rust(void *ctx, unsigned int loops)
{
	struct bench_rust *b = ctx;

	return BENCH_LOOP(loops, ({
		KUNIT_ASSERT_EQ(b->test, bench_rust_register_once(b->parent), 0);
		drm_safe_test_rebind(b->test, b->parent);
	}));
}

static void bench_rust_device(struct kunit *test)
{
	struct bench_rust alive = {}, b = { .test = test, .parent = drm_safe_test_parent(test) };

	/* The first device and the last mount and unmount a file system. */
	bench_rust_start(test, &alive);
	bench_third(test, "device, allocate and release", alloc_rust, 20, 0, &b);
	bench_third(test, "register and unplug", register_rust, 3, 0, &b);
	bench_rust_end(&alive);
}

static void bench_rust_many(struct kunit *test)
{
	static const unsigned int ns[] = { 100, 1000, 10000, 40000 };
	struct bench_rust b = {};

	bench_rust_start(test, &b);
	for (int i = 0; i < ARRAY_SIZE(ns) && bench_wants(ns[i]); i++) {
		bench_third(test, "free with sg table, oldest first", bench_rust_many_oldest,
			    ns[i], ns[i], b.ctx);
		bench_third(test, "free with sg table, newest first", bench_rust_many_newest,
			    ns[i], ns[i], b.ctx);
	}
	bench_rust_end(&b);
}

static u64 unbind_rust(void *ctx, unsigned int loops)
{
	struct kunit *test = ctx;
	struct bench_rust b = {};
	u64 time;

	bench_rust_start(test, &b);
	bench_rust_fill(b.ctx, loops);
	time = BENCH_LOOP(1, ({
		bench_rust_unregister(b.ctx);
		drm_safe_test_unbind(test, b.parent);
	}));
	bench_rust_end(&b);
	return time;
}

static void bench_rust_revoke(struct kunit *test)
{
	static const unsigned int ns[] = { 100, 1000, 10000, 40000 };

	for (int i = 0; i < ARRAY_SIZE(ns) && bench_wants(ns[i]); i++)
		bench_third(test, "unbind with all tables alive", unbind_rust, ns[i], ns[i], test);
}

static void *bench_rust_vm_start(struct bench_rust *b, unsigned int n)
{
	void *vm = bench_rust_vm_new(b->ctx, n, min(n, BENCH_OPS));

	KUNIT_ASSERT_NOT_NULL(b->test, vm);
	return vm;
}

static void bench_rust_vm(struct kunit *test)
{
	static const unsigned int ns[] = { 100, 1000, 10000, 100000 };
	struct bench_rust b = {};
	void *vm;

	bench_rust_start(test, &b);
	vm = bench_rust_vm_start(&b, 1);
	bench_third(test, "obtain first, with its end", bench_rust_obtain_first, 1000, 0, vm);
	KUNIT_EXPECT_NE(test, bench_rust_vm_free(vm), 0);
	for (int i = 0; i < ARRAY_SIZE(ns) && bench_wants(ns[i]); i++) {
		vm = bench_rust_vm_start(&b, ns[i]);
		for (int k = 0; k < ARRAY_SIZE(bench_rust_vm_rows); k++)
			bench_third(test, bench_rust_vm_rows[k].name, bench_rust_vm_rows[k].fn,
				    min(ns[i], BENCH_OPS), ns[i], vm);
		KUNIT_EXPECT_NE(test, bench_rust_vm_free(vm), 0);
	}
	bench_rust_end(&b);
}

static int bench_rust_init(struct kunit *test)
{
	if (bench_cpus() > 1)
		kunit_skip(test, "one processor is enough to count instructions");
	return 0;
}

static struct kunit_case bench_rust_cases[] = {
	KUNIT_CASE_ATTR(bench_rust_one, {.speed = KUNIT_SPEED_VERY_SLOW}),
	KUNIT_CASE_ATTR(bench_rust_device, {.speed = KUNIT_SPEED_VERY_SLOW}),
	KUNIT_CASE_ATTR(bench_rust_many, {.speed = KUNIT_SPEED_VERY_SLOW}),
	KUNIT_CASE_ATTR(bench_rust_revoke, {.speed = KUNIT_SPEED_VERY_SLOW}),
	KUNIT_CASE_ATTR(bench_rust_vm, {.speed = KUNIT_SPEED_VERY_SLOW}),
	{}
};

static struct kunit_suite bench_rust_suite = {
	.name = "drm_safe_bench_rust",
	.init = bench_rust_init,
	.test_cases = bench_rust_cases,
};

kunit_test_suite(bench_rust_suite);
