// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Proofs, for pools of each size: the numbers of spare VAs.
 */

#include "kernel.h"
#include "extracted.h"

unsigned int nondet_uint(void);

static struct drm_gpuvm_imm vm;
static struct drm_gpuva *slots[DRM_GPUVM_IMM_POOL_LIMIT];

/* The pool has room for what is in it and for what was lent, and is not larger than this. */
static void any_pool(void)
{
	vm.pool = slots;
	vm.pool_size = nondet_uint();
	vm.pool_count = nondet_uint();
	vm.pool_lent = nondet_uint();
	__CPROVER_assume(vm.pool_size <= DRM_GPUVM_IMM_POOL_LIMIT);
	__CPROVER_assume((u64)vm.pool_count + vm.pool_lent <= vm.pool_size);
}

static void check_pool(void)
{
	assert((u64)vm.pool_count + vm.pool_lent <= vm.pool_size);
}

/* What is lent has room to come back to, or a larger pool is asked for. */
void prove_lend(void)
{
	struct drm_gpuva *vas[3];
	unsigned int want = nondet_uint(), got = 0, size, count, lent;

	any_pool();
	__CPROVER_assume(want >= 1 && want <= 3);
	count = vm.pool_count;
	lent = vm.pool_lent;
	size = drm_gpuvm_imm_pool_lend(&vm, vas, want, &got);
	check_pool();
	if (size) {
		assert(size > vm.pool_size);
		assert(vm.pool_count == count && vm.pool_lent == lent);
	} else {
		assert(got == min(want, count) && vm.pool_count == count - got);
		assert(vm.pool_lent == lent + want);
	}
}

/* What is put fits, and is no more than one hold of the lock may take. */
void prove_put(void)
{
	struct drm_gpuva *vas[1];
	unsigned int n = nondet_uint(), count, done;

	any_pool();
	__CPROVER_assume(n);
	count = vm.pool_count;
	done = drm_gpuvm_imm_pool_put_some(&vm, vas, n);
	check_pool();
	assert(done <= n && done <= DRM_GPUVM_IMM_POOL_BATCH);
	assert(vm.pool_count == count + done);
	assert(prove_copied_to == vm.pool + count);
	assert(prove_copied == done * sizeof(*vas));
	assert(done || count + vm.pool_lent == vm.pool_size);
}
