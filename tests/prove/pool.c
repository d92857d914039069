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
	       (u64)vm.pool_count + vm.pool_lent <= vm.pool_size &&
	       vm.pool_keep == (vm.vas_left < 0 ? -vm.vas_left : 0);
}

/* How many more VAs may be in use, without the last ones; less than none if there are too many */
static int vas_unused(void)
{
	return vm.vas_left + (int)vm.pool_count;
}

/* The pool has room for its VAs and for the lent ones, and is not larger than this. */
static void any_pool(void)
{
	vm.pool = slots;
	vm.pool_size = nondet_uint();
	vm.pool_count = nondet_uint();
	vm.pool_lent = nondet_uint();
	vm.pool_keep = nondet_uint();
	vm.vas_left = nondet_int();
	/* All that may be in use, and as many spare ones in the pool and on their way */
	assume(vm.vas_left <= DRM_GPUVM_IMM_VAS_MOST && vm.vas_left >= -2 * DRM_GPUVM_IMM_POOL_LIMIT);
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

/*
 * The pool has room for lent VAs to come back, or asks for a larger pool. A request is refused
 * exactly if it would exceed the limit of VAs in use, whatever the number of spare VAs.
 */
// plant: s/max\(vm->pool_count, want\) \+/vm->pool_count +/
// plant: s/> vm->pool_size\)\)/> vm->pool_size + 1))/
// plant: s/keep = vm->pool_keep > last \? vm->pool_keep - last : 0/keep = 0/
// plant: s/left \+ \(int\)last < 0/left + (int)last < -1/
// plant: s/left \+ \(int\)last < 0/left + (int)last <= 0/
// plant: s/vm->vas_left = left;/vm->vas_left = left + 1;/
// plant: s/vm->pool_lent -= want;/;/
void prove_lend(void)
{
	struct drm_gpuva *vas[3] = {};
	unsigned int want = nondet_uint(), last = nondet_uint(), got = 0, count, lent;
	int size, left, unused;

	any_pool();
	assume(want >= 1 && want <= 3 && last <= DRM_GPUVM_IMM_VAS_MOST / 8);
	count = vm.pool_count;
	lent = vm.pool_lent;
	left = vm.vas_left;
	unused = vas_unused();
	size = drm_gpuvm_imm_pool_lend(&vm, vas, want, last, &got);
	assert(pool_ok());
	if (size) {
		assert(size > 0 ? size > vm.pool_size : size == -ENOSPC);
		assert(size > 0 || unused + (int)last < (int)want);
		assert(vm.pool_count == count && vm.pool_lent == lent && vm.vas_left == left);
		assert(!vas[0] && !vas[1] && !vas[2]);
	} else {
		assert(unused + (int)last >= (int)want);
		assert(got <= want && vm.pool_count == count - got);
		/* The caller allocates the others. */
		assert(vm.vas_left == left - (int)(want - got));
		assert(vas_unused() == unused - (int)want);
		assert(got == want || !vm.pool_count);
		assert(vm.pool_lent == lent + want);
	}
}

/* A freed VA is neither in the pool nor counted. */
// plant: s/drm_gpuvm_imm_vas_gone\(vm, n\);/;/
// plant: s/keep \+= vm->pool_lent;/;/
void prove_pop(void)
{
	void *vas[1];
	unsigned int keep = nondet_uint(), most = nondet_uint(), count, n;
	int left;

	any_pool();
	assume(keep <= DRM_GPUVM_IMM_POOL_MAX);
	count = vm.pool_count;
	left = vm.vas_left;
	n = drm_gpuvm_imm_pool_pop(&vm, keep, vas, most);
	assert(pool_ok());
	assert(n <= most && vm.pool_count == count - n && vm.vas_left == left + (int)n);
	assert(!n || vm.pool_count >= keep + vm.pool_lent);
}

/* The VAs that are put fit, and are no more than the limit for one hold of the lock. */
// plant: s/min3\(n, vm->pool_size - vm->pool_count - vm->pool_lent, /min3(n, n, /
// plant: s/vm->pool_size - vm->pool_count - vm->pool_lent/vm->pool_size - vm->pool_count/
// plant: s/DRM_GPUVM_IMM_POOL_BATCH\)/DRM_GPUVM_IMM_POOL_BATCH + 1)/
// plant: s/drm_gpuvm_imm_vas_gone\(vm, -n\);/;/
void prove_put(void)
{
	struct drm_gpuva *vas[1];
	unsigned int n = nondet_uint(), count, done;
	int unused;

	any_pool();
	assume(n);
	count = vm.pool_count;
	unused = vas_unused();
	done = drm_gpuvm_imm_pool_put_some(&vm, vas, n);
	assert(pool_ok());
	assert(done <= n && done <= DRM_GPUVM_IMM_POOL_BATCH);
	assert(vm.pool_count == count + done && vas_unused() == unused);
	assert(prove_copied_to == vm.pool + count);
	assert(prove_copied == done * sizeof(*vas));
	assert(done || count + vm.pool_lent == vm.pool_size);
}

/* A new array has room for the VAs in the pool and the lent ones, and has the stated size. */
// plant: s/vm->pool_count \+ vm->pool_lent <= size/vm->pool_count <= size/
// plant: s/vm->pool_count \+ vm->pool_lent <= size/vm->pool_count + vm->pool_lent <= size + 1/
// plant: s/kvmalloc_array\(size, /kvmalloc_array(size - 1, /
// plant: s/swap\(vm->pool_count, spare\)/spare = vm->pool_count/
// plant: s/drm_gpuvm_imm_vas_gone\(vm, spare\);/;/
void prove_resize(void)
{
	unsigned int size = nondet_uint(), before;
	int ret, unused;

	any_pool();
	prove_array = other_slots;
	assume(size <= DRM_GPUVM_IMM_POOL_LIMIT && vm.pool_count <= 4);
	before = vm.pool_count;
	unused = vas_unused();
	ret = drm_gpuvm_imm_pool_resize(&vm, size);
	assert(pool_ok() && vas_unused() == unused);
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
