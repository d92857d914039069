// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The debugfs file and the tracepoints of an address space.
 */

#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include <kunit/test-bug.h>

#include "drm_gpuvm_imm_internal.h"
#include "drm_gpuvm_imm_test.h"
#include "drm_gpuvm_imm_trace.h"
#include "drm_safe_test.h"

#ifdef CONFIG_DEBUG_FS

static void test_show(struct kunit *test, struct test_vm *vm, char *buf)
{
	struct seq_file m = { .buf = buf, .size = SZ_16K };

	mutex_init(&m.lock);
	drm_gpuvm_imm_show(&m, test_vm_shared(vm));
	KUNIT_ASSERT_FALSE(test, seq_has_overflowed(&m));
	buf[m.count] = '\0';
}

static unsigned int test_count(const char *text, const char *word)
{
	unsigned int n = 0;

	while ((text = strstr(text, word))) {
		text += strlen(word);
		n++;
	}

	return n;
}

/* How often the file says it, which is formatted like by printf() */
static __printf(2, 3) unsigned int test_counted(const char *text, const char *fmt, ...)
{
	char word[80];
	va_list args;

	va_start(args, fmt);
	vscnprintf(word, sizeof(word), fmt, args);
	va_end(args);

	return test_count(text, word);
}

static char *test_step_buf;

static void test_show_in_step(struct test_vm *vm)
{
	test_show(kunit_get_current_test(), vm, test_step_buf);
}

static void drm_gpuvm_imm_debug_test_show(struct kunit *test)
{
	struct test_vm *vm = test_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 64, NULL);
	char *buf = kunit_kzalloc(test, SZ_16K, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	test_show(test, vm, buf);
	KUNIT_EXPECT_EQ(test, test_count(buf, "\n"), 2);
	KUNIT_EXPECT_EQ(test, test_count(buf, " test "), 1);
	KUNIT_EXPECT_EQ(test, test_count(buf, "reserved"), 1);

	for (int i = 0; i < 50; i++)
		KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 0, i, 1, i), 0);
	KUNIT_ASSERT_EQ(test, test_map_sparse(test, vm, 49, 10), 0);
	test_show(test, vm, buf);
	KUNIT_EXPECT_EQ(test, test_count(buf, "object"), 49);
	KUNIT_EXPECT_EQ(test, test_counted(buf, "size 0x%lx", 64 * TEST_PAGE), 49);
	KUNIT_EXPECT_EQ(test, test_counted(buf, "offset 0x%lx\n", 48 * TEST_PAGE), 1);
	KUNIT_EXPECT_EQ(test, 1, test_counted(buf, "0x%016llx 0x%016llx sparse",
					      TEST_START + 49 * (u64)TEST_PAGE,
					      10 * (u64)TEST_PAGE));
	KUNIT_EXPECT_EQ(test, test_count(buf, "broken"), 0);

	/* A writer that is at work is not waited for. */
	test_step_buf = buf;
	vm->in_step = test_show_in_step;
	KUNIT_ASSERT_EQ(test, test_unmap(test, vm, 0, 1), 0);
	KUNIT_EXPECT_EQ(test, test_count(buf, "being changed"), 1);

	vm->fail_in = 2;
	vm->fail_again_in = 1;
	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 0, 1, 2, 5), -EIO);
	test_show(test, vm, buf);
	KUNIT_EXPECT_EQ(test, test_count(buf, "broken"), 1);
}

/* Reads all of the file. */
static void test_show_file(struct kunit *test, char *buf)
{
	struct seq_file m = { .buf = buf, .size = SZ_16K };
	loff_t pos = 0;
	void *v;

	mutex_init(&m.lock);
	v = drm_gpuvm_imm_sops.start(&m, &pos);
	while (v) {
		int ret = drm_gpuvm_imm_sops.show(&m, v);

		KUNIT_EXPECT_TRUE(test, !ret || ret == SEQ_SKIP);
		v = drm_gpuvm_imm_sops.next(&m, v, &pos);
	}
	drm_gpuvm_imm_sops.stop(&m, v);
	buf[m.count] = '\0';
}

static void drm_gpuvm_imm_debug_test_file(struct kunit *test)
{
	struct test_vm *vm = test_vm_new(test), *other = test_vm_new(test);
	char *buf = kunit_kzalloc(test, SZ_16K, GFP_KERNEL);
	struct drm_gpuvm_imm *held;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_ASSERT_EQ(test, test_map_sparse(test, vm, 49, 10), 0);
	test_show_file(test, buf);
	KUNIT_EXPECT_EQ(test, test_count(buf, " test "), 2);
	KUNIT_EXPECT_EQ(test, test_count(buf, "sparse"), 1);
	test_vm_end(test, vm);
	test_show_file(test, buf);
	KUNIT_EXPECT_EQ(test, test_count(buf, " test "), 1);
	/* Without its core, an address space is not shown, even if somebody holds it. */
	held = drm_gpuvm_imm_get(other->core);
	test_vm_end(test, other);
	test_show_file(test, buf);
	KUNIT_EXPECT_EQ(test, test_count(buf, " test "), 0);
	drm_gpuvm_imm_put(held);
}

#else

static void drm_gpuvm_imm_debug_test_show(struct kunit *test)
{
	kunit_skip(test, "no CONFIG_DEBUG_FS");
}

static void drm_gpuvm_imm_debug_test_file(struct kunit *test)
{
	kunit_skip(test, "no CONFIG_DEBUG_FS");
}

#endif

#ifdef CONFIG_TRACEPOINTS

struct test_trace {
	const struct drm_gpuvm_imm *vm;
	unsigned int prepares;
	unsigned int nomem;
	unsigned int runs;
	unsigned int rollbacks;
	unsigned int steps;
	unsigned int drains;
	int last;
	char text[96];			/* of the last step */
};

static void test_trace_prepare(void *data, const struct drm_gpuvm_imm_update *update, int ret)
{
	struct test_trace *trace = data;

	if (update->__vm != trace->vm)
		return;
	trace->prepares++;
	trace->nomem += ret == -ENOMEM;
	trace->last = ret;
}

static void test_trace_run(void *data, const struct drm_gpuvm_imm_update *update, int ret)
{
	struct test_trace *trace = data;

	if (update->__vm != trace->vm)
		return;
	trace->runs++;
	trace->last = ret;
}

static void test_trace_rollback(void *data, const struct drm_gpuvm_imm_update *update, int ret)
{
	struct test_trace *trace = data;

	trace->rollbacks += update->__vm == trace->vm;
}

static void test_trace_step(void *data, const struct drm_gpuvm_imm *vm, const char *step,
			    u64 addr, u64 range, int ret)
{
	struct test_trace *trace = data;

	if (vm != trace->vm)
		return;
	trace->steps++;
	snprintf(trace->text, sizeof(trace->text), "%s %llu+%llu %d", step,
		 (addr - TEST_START) / TEST_PAGE, range / TEST_PAGE, ret);
}

static void test_trace_drain(void *data, const struct drm_gpuvm_imm *vm)
{
	struct test_trace *trace = data;

	trace->drains += vm == trace->vm;
}

static void test_trace_off(void *data)
{
	unregister_trace_drm_gpuvm_imm_prepare(test_trace_prepare, data);
	unregister_trace_drm_gpuvm_imm_run(test_trace_run, data);
	unregister_trace_drm_gpuvm_imm_rollback(test_trace_rollback, data);
	unregister_trace_drm_gpuvm_imm_step(test_trace_step, data);
	unregister_trace_drm_gpuvm_imm_drain(test_trace_drain, data);
	tracepoint_synchronize_unregister();
}

static struct test_trace *test_trace_on(struct kunit *test, struct test_vm *vm)
{
	struct test_trace *trace = kunit_kzalloc(test, sizeof(*trace), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, trace);
	trace->vm = test_vm_shared(vm);
	KUNIT_ASSERT_EQ(test, 0, register_trace_drm_gpuvm_imm_prepare(test_trace_prepare, trace));
	KUNIT_ASSERT_EQ(test, 0, register_trace_drm_gpuvm_imm_run(test_trace_run, trace));
	KUNIT_ASSERT_EQ(test, 0, register_trace_drm_gpuvm_imm_rollback(test_trace_rollback, trace));
	KUNIT_ASSERT_EQ(test, 0, register_trace_drm_gpuvm_imm_step(test_trace_step, trace));
	KUNIT_ASSERT_EQ(test, 0, register_trace_drm_gpuvm_imm_drain(test_trace_drain, trace));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, test_trace_off, trace));

	return trace;
}

static void drm_gpuvm_imm_debug_test_trace(struct kunit *test)
{
	struct test_vm *vm = test_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 64, NULL);
	struct test_trace *trace = test_trace_on(test, vm);

	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 0, 0, 8, 0), 0);
	KUNIT_EXPECT_EQ(test, trace->prepares, 1);
	KUNIT_EXPECT_EQ(test, trace->runs, 1);
	KUNIT_EXPECT_EQ(test, trace->steps, 1);
	KUNIT_EXPECT_EQ(test, trace->rollbacks, 0);
	KUNIT_EXPECT_EQ(test, trace->last, 0);
	KUNIT_EXPECT_STREQ(test, trace->text, "map 0+8 0");

	vm->fail_in = 2;
	KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 0, 2, 2, 8), -EIO);
	KUNIT_EXPECT_EQ(test, trace->prepares, 2);
	KUNIT_EXPECT_EQ(test, trace->runs, 2);
	/* remap, map, which fails, and map to undo the first */
	KUNIT_EXPECT_EQ(test, trace->steps, 4);
	KUNIT_EXPECT_EQ(test, trace->rollbacks, 1);
	KUNIT_EXPECT_EQ(test, trace->last, -EIO);
	KUNIT_EXPECT_STREQ(test, trace->text, "map 2+2 0");

	vm->fail_in = 1;
	KUNIT_ASSERT_EQ(test, test_unmap(test, vm, 2, 2), -EIO);
	KUNIT_EXPECT_STREQ(test, trace->text, "remap 2+2 -5");
	KUNIT_EXPECT_EQ(test, trace->rollbacks, 2);

	drm_gpuvm_imm_flush();
	KUNIT_EXPECT_EQ(test, trace->drains, 0);
	KUNIT_ASSERT_EQ(test, test_unmap(test, vm, 0, 8), 0);
	drm_gpuvm_imm_flush();
	KUNIT_EXPECT_EQ(test, trace->drains, 1);
	KUNIT_EXPECT_STREQ(test, trace->text, "unmap 0+8 0");
}

static int test_prepare_unmap(struct kunit *test, void *ctx)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct test_vm *vm = ctx;

	return drm_gpuvm_imm_prepare_unmap(test_vm_shared(vm), update, TEST_START, TEST_PAGE);
}

/* A prepare call that fails without memory is marked, too. */
static void drm_gpuvm_imm_debug_test_trace_nomem(struct kunit *test)
{
	struct test_vm *vm = test_vm_new(test);
	struct test_trace *trace = test_trace_on(test, vm);
	unsigned int failed;

	/* Allocations of VAs, or of memory for the allocator, which may do without */
	failed = drm_safe_fail_nth(test, test_prepare_unmap, vm);
	if (!IS_ENABLED(CONFIG_FAULT_INJECTION_DEBUG_FS))
		return;
	KUNIT_EXPECT_EQ(test, trace->prepares, failed + 1);
	KUNIT_EXPECT_GT(test, trace->nomem, 0);
	KUNIT_EXPECT_LE(test, trace->nomem, failed);
}

#else

static void drm_gpuvm_imm_debug_test_trace(struct kunit *test)
{
	kunit_skip(test, "no CONFIG_TRACEPOINTS");
}

static void drm_gpuvm_imm_debug_test_trace_nomem(struct kunit *test)
{
	kunit_skip(test, "no CONFIG_TRACEPOINTS");
}

#endif

/* The same structures, by another description */
DRM_GPUVM_IMM_TYPE(debug_vm_type, struct test_vm, core, struct test_va, struct test_bo, base);

const struct debug_vm_type debug_vm_type = {
	.base.granule = TEST_PAGE,
	.base.obj_funcs = &test_bo_funcs,
};

/* Each call reports once that the VM is not of the type that it names, and still does its work. */
#define DEBUG_EXPECT_REPORT(_test, ...) do {					\
	struct kunit *__test = (_test);						\
										\
	kunit_warning_suppress(__test) {					\
		__VA_ARGS__;							\
		EXPECT_BROKEN_TIMES(__test, IS_ENABLED(CONFIG_DRM_SAFE_DEBUG),	\
				    "a call names the type of its VM");		\
	}									\
} while (0)

static void debug_expect_prepare(struct kunit *test, struct test_vm *vm, struct test_bo *bo,
				 struct drm_gpuvm_imm_update *update)
{
	struct drm_gpuvm_imm *shared = test_vm_shared(vm);
	const struct debug_vm_type *type = &debug_vm_type;
	int ret = -1;

	DEBUG_EXPECT_REPORT(test, ret = drm_gpuvm_imm_prepare_unmap_obj(type, shared, update, bo));
	KUNIT_EXPECT_EQ(test, ret, 0);
	drm_gpuvm_imm_update_drop(update);
	DEBUG_EXPECT_REPORT(test, ret = drm_gpuvm_imm_prepare_map_interruptible(type, shared,
										update, bo,
										TEST_START,
										TEST_PAGE, 0,
										NULL));
	KUNIT_EXPECT_EQ(test, ret, 0);
	drm_gpuvm_imm_update_drop(update);
	dma_resv_lock(drm_gpuvm_imm_resv_obj(shared)->resv, NULL);
	DEBUG_EXPECT_REPORT(test, ret = drm_gpuvm_imm_prepare_map_locked(type, shared, update, bo,
									 TEST_START, TEST_PAGE,
									 0, NULL));
	dma_resv_unlock(drm_gpuvm_imm_resv_obj(shared)->resv);
	KUNIT_EXPECT_EQ(test, ret, 0);
	drm_gpuvm_imm_update_drop(update);
	DEBUG_EXPECT_REPORT(test, ret = drm_gpuvm_imm_prepare_map(type, shared, update, bo,
								  TEST_START, TEST_PAGE, 0, NULL));
	KUNIT_EXPECT_EQ(test, ret, 0);
}

static void debug_expect_obtain(struct kunit *test, struct test_vm *vm, struct test_bo *bo)
{
	struct drm_gpuvm_imm *shared = test_vm_shared(vm);
	struct drm_gpuvm_bo *vm_bo = NULL;
	struct test_bo *obj = NULL;

	DEBUG_EXPECT_REPORT(test, vm_bo = drm_gpuvm_imm_obtain(&debug_vm_type, shared, bo, NULL));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vm_bo);
	DEBUG_EXPECT_REPORT(test, (void)drm_gpuvm_imm_bo_data(&debug_vm_type, vm_bo));
	DEBUG_EXPECT_REPORT(test, obj = drm_gpuvm_imm_bo_obj(&debug_vm_type, vm_bo));
	KUNIT_EXPECT_PTR_EQ(test, obj, bo);
	drm_gpuvm_imm_bo_put(vm_bo);
}

static void debug_expect_va(struct kunit *test, const struct drm_gpuva *va, struct test_bo *bo)
{
	struct test_bo *obj = NULL;

	KUNIT_ASSERT_NOT_NULL(test, va);
	DEBUG_EXPECT_REPORT(test, (void)drm_gpuvm_imm_va_data(&debug_vm_type, va));
	DEBUG_EXPECT_REPORT(test, (void)drm_gpuvm_imm_va_bo_data(&debug_vm_type, va));
	DEBUG_EXPECT_REPORT(test, obj = drm_gpuvm_imm_va_obj(&debug_vm_type, va));
	KUNIT_EXPECT_PTR_EQ(test, obj, bo);
}

static void drm_gpuvm_imm_debug_test_other_type(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct test_vm *vm = test_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 64, NULL);
	struct test_vm *same = NULL;

	debug_expect_obtain(test, vm, bo);
	debug_expect_prepare(test, vm, bo, update);
	/* A mapping that is not in the address space yet, and one that is */
	debug_expect_va(test, drm_gpuvm_imm_update_va(update), bo);
	DEBUG_EXPECT_REPORT(test, (void)drm_gpuvm_imm_update_data(&debug_vm_type, update));
	KUNIT_EXPECT_EQ(test, test_vm_run(vm, update), 0);
	debug_expect_va(test, test_vm_find(vm, TEST_START, TEST_PAGE), bo);
	DEBUG_EXPECT_REPORT(test, same = drm_gpuvm_imm_of(&debug_vm_type, vm->core));
	KUNIT_EXPECT_PTR_EQ(test, same, vm);
}

static struct kunit_case drm_gpuvm_imm_debug_test_cases[] = {
	KUNIT_CASE(drm_gpuvm_imm_debug_test_other_type),
	KUNIT_CASE(drm_gpuvm_imm_debug_test_show),
	KUNIT_CASE(drm_gpuvm_imm_debug_test_file),
	KUNIT_CASE(drm_gpuvm_imm_debug_test_trace),
	KUNIT_CASE(drm_gpuvm_imm_debug_test_trace_nomem),
	{}
};

static struct kunit_suite drm_gpuvm_imm_debug_suite = {
	.name = "drm_gpuvm_imm_debug",
	.init = test_env_init,
	.test_cases = drm_gpuvm_imm_debug_test_cases,
};

kunit_test_suite(drm_gpuvm_imm_debug_suite);

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
