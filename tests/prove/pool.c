// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Proofs, for pools of each size: the numbers of spare VAs.
 */

#include "gpuvm.h"
#include "extracted-pool.h"

static struct drm_gpuvm_imm vm;
/* As large as need be: the proofs are about the numbers that lead into them. */
// cbmc: --no-pointer-check
static struct drm_gpuva *slots[__CPROVER_constant_infinity_uint];
static struct drm_gpuva *other_slots[__CPROVER_constant_infinity_uint];
static bool others;
static unsigned int prove_holds, prove_spare, prove_size;

static bool pool_ok(void)
{
	return vm.pool_size <= DRM_GPUVM_IMM_POOL_LIMIT &&
	       (u64)vm.pool_count + vm.pool_lent <= vm.pool_size;
}

/* The pool has room for what is in it and for what was lent, and is not larger than this. */
static void any_pool(void)
{
	vm.pool = slots;
	vm.pool_size = nondet_uint();
	vm.pool_count = nondet_uint();
	vm.pool_lent = nondet_uint();
	assume(pool_ok());
}

/* Other tasks lend VAs, put some back, and have the pool resized. */
static void prove_lock(int *lock)
{
	if (!others)
		return;
	any_pool();
	/* The first hold takes the spare VAs out. As many as the loops are unwound for */
	if (!prove_holds++) {
		assume(vm.pool_count <= 4);
		prove_spare = (u64)vm.pool_count + vm.pool_lent <= prove_size ? vm.pool_count : 0;
	}
}

/* What is lent has room to come back to, or a larger pool is asked for. */
// plant: s/max\(vm->pool_count, want\) \+/vm->pool_count +/
// plant: s/> vm->pool_size\)\)/> vm->pool_size + 1))/
void prove_lend(void)
{
	struct drm_gpuva *vas[3];
	unsigned int want = nondet_uint(), got = 0, size, count, lent;

	any_pool();
	assume(want >= 1 && want <= 3);
	count = vm.pool_count;
	lent = vm.pool_lent;
	size = drm_gpuvm_imm_pool_lend(&vm, vas, want, &got);
	assert(pool_ok());
	if (size) {
		assert(size > vm.pool_size);
		assert(vm.pool_count == count && vm.pool_lent == lent);
	} else {
		assert(got == min(want, count) && vm.pool_count == count - got);
		assert(vm.pool_lent == lent + want);
	}
}

/* What is put fits, and is no more than one hold of the lock may take. */
// plant: s/min3\(n, vm->pool_size - vm->pool_count - vm->pool_lent, /min3(n, n, /
// plant: s/vm->pool_size - vm->pool_count - vm->pool_lent/vm->pool_size - vm->pool_count/
// plant: s/DRM_GPUVM_IMM_POOL_BATCH\)/DRM_GPUVM_IMM_POOL_BATCH + 1)/
void prove_put(void)
{
	struct drm_gpuva *vas[1];
	unsigned int n = nondet_uint(), count, done;

	any_pool();
	assume(n);
	count = vm.pool_count;
	done = drm_gpuvm_imm_pool_put_some(&vm, vas, n);
	assert(pool_ok());
	assert(done <= n && done <= DRM_GPUVM_IMM_POOL_BATCH);
	assert(vm.pool_count == count + done);
	assert(prove_copied_to == vm.pool + count);
	assert(prove_copied == done * sizeof(*vas));
	assert(done || count + vm.pool_lent == vm.pool_size);
}

/* A new array has room for what is in the pool and what was lent, and is as large as it says. */
// plant: s/vm->pool_count \+ vm->pool_lent <= size/vm->pool_count <= size/
// plant: s/vm->pool_count \+ vm->pool_lent <= size/vm->pool_count + vm->pool_lent <= size + 1/
// plant: s/kvmalloc_array\(size, /kvmalloc_array(size - 1, /
// plant: s/swap\(vm->pool_count, spare\)/spare = vm->pool_count/
void prove_resize(void)
{
	unsigned int size = nondet_uint(), before;
	int ret;

	any_pool();
	prove_array = other_slots;
	assume(size <= DRM_GPUVM_IMM_POOL_LIMIT && vm.pool_count <= 4);
	before = vm.pool_count;
	ret = drm_gpuvm_imm_pool_resize(&vm, size);
	assert(pool_ok());
	if (ret || vm.pool == slots) {
		assert(vm.pool_count == before && !prove_freed);
		return;
	}
	assert(vm.pool == prove_array && vm.pool_size == size && prove_room == size);
	/* Each of the spare VAs is in the new array, or was freed. */
	assert(vm.pool_count + prove_freed == before);
}

/*
 * The same, with other tasks whenever the lock is free: what the pool says of itself stays
 * true, and no VA is lost.
 */
// plant: s/vm->pool_count \+ vm->pool_lent <= size/vm->pool_lent <= size/
// plant: s/for \(; n; n--\)/for (; n > 1; n--)/
void prove_resize_races(void)
{
	any_pool();
	prove_array = other_slots;
	prove_size = nondet_uint();
	assume(prove_size <= DRM_GPUVM_IMM_POOL_LIMIT);
	others = true;
	drm_gpuvm_imm_pool_resize(&vm, prove_size);
	assert(pool_ok());
	assert(prove_put_back + prove_freed == prove_spare);
}

/* A smaller array is asked for only if it has room, and is much smaller. */
// plant: s/max\(2 \* \(vm->pool_count \+ vm->pool_lent\), /max(vm->pool_count, /
// plant: s/size < vm->pool_size \/ 2 \?/size <= vm->pool_size \/ 2 ?/
void prove_smaller(void)
{
	unsigned int size;

	any_pool();
	size = drm_gpuvm_imm_pool_smaller(&vm);
	assert(pool_ok());
	assert(!size || ((u64)vm.pool_count + vm.pool_lent <= size &&
			 size < vm.pool_size / 2));
}
