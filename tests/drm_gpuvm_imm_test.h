/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A driver with a page table of one array, and objects without pages, for
 * the suites of drm_gpuvm_imm.
 */
#ifndef _DRM_GPUVM_IMM_TEST_H
#define _DRM_GPUVM_IMM_TEST_H

#include <linux/atomic.h>
#include <linux/dma-fence.h>

#include <kunit/test.h>

#include <drm/drm_device.h>

#include "drm_gpuvm_imm.h"

/* Whole pages of any size: objects have no parts of one. */
#define TEST_PAGE		PAGE_SIZE
#define TEST_START		SZ_16M
#define TEST_PAGES		256
#define TEST_PTE_SPARSE		1

/* The wrong behaviour of the next steps */
enum test_misbehave {
	TEST_BEHAVE,
	TEST_RETURN_NULL,
	TEST_RETURN_OTHER,
	TEST_RETURN_STALE,
	TEST_DO_NOT_COMPLETE,
	TEST_COMPLETE_TWICE,
	TEST_COMPLETE_AND_FAIL,
};

struct test_vm;

struct test_bo {
	struct drm_gem_object base;
	struct drm_gem_object *resv_obj;
	atomic_t *live;
	u32 id;
	bool evicted;
	void (*in_free)(struct test_bo *bo);
	void *hook;			/* for @in_free */
	/* Evicts it from a VM, under its reservation lock. */
	int (*evict)(struct test_vm *vm, struct test_bo *bo, struct drm_gpuvm_bo *vm_bo);
};

/* Each entry is one page: 0, TEST_PTE_SPARSE, or object, tag and page. */
struct test_vm {
	DRM_GPUVM_IMM_CORE(core);
	u64 pt[TEST_PAGES];

	unsigned int maps;
	unsigned int unmaps;
	unsigned int remaps;
	unsigned int keeps;
	u64 last_map;			/* where the last map step was */

	unsigned int fail_in;		/* 1: the next step fails, and so on */
	unsigned int fail_again_in;	/* the same, counted from that failure */
	unsigned int validated;
	unsigned int evicted;
	enum test_misbehave misbehave;
	void *stale;
	void (*in_step)(struct test_vm *vm);
	bool signalling;		/* the last step that looked was in a section */
	/* Brings an object back, under the VM's reservation lock. */
	int (*validate)(struct test_vm *vm, struct test_bo *bo, struct drm_exec *exec);
};

/* The driver's data: the part of a page table entry that is not the page */
struct test_va {
	u32 tag;
};

extern const struct drm_gem_object_funcs test_bo_funcs;

DRM_GPUVM_IMM_TYPE(test_vm_type, struct test_vm, core, struct test_va, struct test_bo, base);

/* The typed calls that the suites make most */
static inline struct drm_gpuvm_imm *test_vm_shared(const struct test_vm *vm)
{
	return drm_gpuvm_imm_shared(vm->core);
}

static inline int __must_check test_vm_init(struct test_vm *vm, struct drm_device *drm,
					    const struct drm_gpuvm_imm_config *config)
{
	return drm_gpuvm_imm_init(&test_vm_type, vm, drm, config);
}

static inline void test_vm_fini(struct test_vm *vm)
{
	drm_gpuvm_imm_fini(vm->core);
}

static inline int __must_check
test_vm_prepare_map(struct drm_gpuvm_imm *vm, struct drm_gpuvm_imm_update *update,
		    struct test_bo *bo, u64 addr, u64 range, u64 offset)
{
	return drm_gpuvm_imm_prepare_map(&test_vm_type, vm, update, bo, addr, range, offset, NULL);
}

static inline int __must_check
test_vm_prepare_map_interruptible(struct drm_gpuvm_imm *vm, struct drm_gpuvm_imm_update *update,
				  struct test_bo *bo, u64 addr, u64 range, u64 offset)
{
	return drm_gpuvm_imm_prepare_map_interruptible(&test_vm_type, vm, update, bo, addr, range,
						       offset, NULL);
}

static inline int __must_check
test_vm_prepare_map_locked(struct drm_gpuvm_imm *vm, struct drm_gpuvm_imm_update *update,
			   struct test_bo *bo, u64 addr, u64 range, u64 offset)
	__must_hold(drm_resv)
{
	return drm_gpuvm_imm_prepare_map_locked(&test_vm_type, vm, update, bo, addr, range,
						offset, NULL);
}

static inline int __must_check
test_vm_prepare_unmap_obj(struct drm_gpuvm_imm *vm, struct drm_gpuvm_imm_update *update,
			  struct test_bo *bo)
{
	return drm_gpuvm_imm_prepare_unmap_obj(&test_vm_type, vm, update, bo);
}

static inline struct test_va *test_vm_update_va(const struct drm_gpuvm_imm_update *update)
{
	return drm_gpuvm_imm_update_data(&test_vm_type, update);
}

static inline int __must_check
test_vm_run(struct test_vm *vm, struct drm_gpuvm_imm_update *update)
{
	return drm_gpuvm_imm_run(&test_vm_type, vm, update, NULL);
}

static inline const struct drm_gpuva *
test_vm_find(const struct test_vm *vm, u64 addr, u64 range)
{
	return drm_gpuvm_imm_find(vm->core, addr, range);
}

static inline const struct drm_gpuva *
test_vm_find_first(const struct test_vm *vm, u64 addr, u64 range)
{
	return drm_gpuvm_imm_find_first(vm->core, addr, range);
}

static inline struct test_va *test_vm_va(const struct drm_gpuva *va)
{
	return drm_gpuvm_imm_va_data(&test_vm_type, va);
}

static inline struct test_bo *test_vm_obj(const struct drm_gpuva *va)
{
	return drm_gpuvm_imm_va_obj(&test_vm_type, va);
}

/* The environment of a test: a device, and counts of live objects */
struct test_env {
	struct drm_device *drm;
	atomic_t live_bos;
	atomic_t live_devs;
	u32 next_id;
	void *more;			/* of one test */
};

int test_env_init(struct kunit *test);

struct test_vm *test_vm_new(struct kunit *test);
void test_vm_end(struct kunit *test, struct test_vm *vm);
struct test_bo *test_bo_new(struct kunit *test, unsigned int pages,
			    struct drm_gem_object *resv_obj);
void test_bo_end(struct kunit *test, struct test_bo *bo);

/* A task that holds a reservation lock until the test ends it, see test_holder_fn() */
struct test_holder {
	struct dma_resv *resv;
	struct completion locked;
	struct completion unlock;
	struct completion done;
};

int test_holder_fn(void *holder);

#if defined(CONFIG_TRACEPOINTS) && defined(CONFIG_LOCKDEP)
/* Counts what a task tells lockdep. This works even after lockdep has turned itself off. */
struct test_told {
	struct tracepoint *tp;
	struct task_struct *task;
	const struct lockdep_map *resv;
	unsigned int resvs;		/* that the reservation lock is taken */
	unsigned int waits;		/* that it waits for clean-ups */
	unsigned int reclaims;		/* that it may wait for memory */
};

void test_told_begin(struct kunit *test, struct test_told *told);
void test_told_end(struct kunit *test, struct test_told *told);
#endif

/* Expects one report of a broken rule, and a result. */
#define EXPECT_REFUSED(test, rule, expr, ret) do {				\
	kunit_warning_suppress(test) {						\
		KUNIT_EXPECT_EQ(test, (expr), (ret));				\
		EXPECT_BROKEN(test, rule);					\
	}									\
} while (0)

static inline u64 test_page(u64 addr)
{
	return (addr - TEST_START) / TEST_PAGE;
}

u64 test_pte(const struct test_bo *bo, u32 tag, u64 page);
void test_vm_write(struct test_vm *vm, const struct drm_gpuva *va, u64 addr, u64 range,
		   u64 offset) __drm_nonallocating;
int test_run(struct kunit *test, struct test_vm *vm, struct drm_gpuvm_imm_update *update);
int test_vm_validate(struct test_vm *vm, struct drm_exec *exec,
		     int (*fn)(struct test_vm *vm, struct test_bo *bo, struct drm_exec *exec));
int test_vm_evict(struct test_bo *bo,
		  int (*fn)(struct test_vm *vm, struct test_bo *bo, struct drm_gpuvm_bo *vm_bo))
	__must_hold(drm_resv);
int test_vm_lock(struct test_vm *vm, struct drm_exec *exec);
int test_vm_exec(struct test_vm *vm, int (*fn)(struct test_vm *vm, struct test_bo *bo,
					       struct drm_exec *exec));
int test_map(struct kunit *test, struct test_vm *vm, struct test_bo *bo, u32 tag,
	     u64 page, u64 pages, u64 from);
int test_map_sparse(struct kunit *test, struct test_vm *vm, u64 page, u64 pages);
int test_unmap(struct kunit *test, struct test_vm *vm, u64 page, u64 pages);
void test_check(struct kunit *test, struct test_vm *vm, const u64 *model);

#endif /* _DRM_GPUVM_IMM_TEST_H */
