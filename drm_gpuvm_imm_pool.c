// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The pool of spare VAs of an address space. Updates take VAs from the pool when they are prepared,
 * and return them after the run, so the run neither allocates nor frees memory.
 */

#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include <kunit/static_stub.h>
#include <kunit/visibility.h>

#include "drm_gpuvm_imm_internal.h"

/*
 * Puts up to a batch of the @n VAs into the pool, as far as the pool has room. Returns how many it
 * has put.
 */
VISIBLE_IF_KUNIT unsigned int drm_gpuvm_imm_pool_put_some(struct drm_gpuvm_imm *vm,
							  struct drm_gpuva **vas, unsigned int n)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_gpuvm_imm_pool_put_some, vm, vas, n);

	guard(spinlock)(&vm->pool_lock);
	n = min3(n, vm->pool_size - vm->pool_count - vm->pool_lent, DRM_GPUVM_IMM_POOL_BATCH);
	memcpy(vm->pool + vm->pool_count, vas, n * sizeof(*vas));
	vm->pool_count += n;
	drm_gpuvm_imm_vas_gone(vm, -n);

	return n;
}
EXPORT_SYMBOL_IF_KUNIT(drm_gpuvm_imm_pool_put_some);

/*
 * Puts @n VAs into the pool. The VAs are not counted, and only this task can reach them. Frees the
 * VAs for which other tasks left no room.
 */
static void drm_gpuvm_imm_pool_refill(struct drm_gpuvm_imm *vm, struct drm_gpuva **vas,
				      unsigned int n)
{
	unsigned int done;

	for (; n; vas += done, n -= done) {
		done = drm_gpuvm_imm_pool_put_some(vm, vas, n);
		if (!done)
			break;
	}
	for (; n; n--)
		kfree(*vas++);
}

/*
 * Replaces the pool's array with one for @size VAs, unless the pool holds more by now. The spare
 * VAs move after the new array is in place. Until then, other tasks may find too few VAs in the
 * pool, and allocate some.
 */
static void drm_gpuvm_imm_pool_replace(struct drm_gpuvm_imm *vm, struct drm_gpuva **pool,
				       unsigned int size)
{
	unsigned int spare = 0;

	scoped_guard(spinlock, &vm->pool_lock) {
		if (vm->pool_count + vm->pool_lent <= size) {
			swap(vm->pool, pool);
			swap(vm->pool_count, spare);
			vm->pool_size = size;
			drm_gpuvm_imm_vas_gone(vm, spare);
		}
	}
	drm_gpuvm_imm_pool_refill(vm, pool, spare);
	kvfree(pool);
}

/* Resizes the pool to @size VAs, unless it holds more by now. The caller holds a reference. */
int drm_gpuvm_imm_pool_resize(struct drm_gpuvm_imm *vm, unsigned int size)
{
	struct drm_gpuva **pool = kvmalloc_array(size, sizeof(*pool), GFP_KERNEL_ACCOUNT);

	if (!pool)
		return -ENOMEM;

	drm_gpuvm_imm_pool_replace(vm, pool, size);

	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(drm_gpuvm_imm_pool_resize);

/* Takes up to @most VAs. Leaves at least @keep VAs, plus as many as updates hold. */
static unsigned int drm_gpuvm_imm_pool_pop(struct drm_gpuvm_imm *vm, unsigned int keep,
					   void **vas, unsigned int most)
{
	unsigned int n;

	guard(spinlock)(&vm->pool_lock);
	keep += vm->pool_lent;
	if (vm->pool_count <= keep)
		return 0;
	n = min(most, vm->pool_count - keep);
	vm->pool_count -= n;
	drm_gpuvm_imm_vas_gone(vm, n);
	memcpy(vas, vm->pool + vm->pool_count, n * sizeof(*vas));

	return n;
}

/* Frees spare VAs. Leaves @keep VAs, plus as many as updates hold. */
void drm_gpuvm_imm_pool_free(struct drm_gpuvm_imm *vm, unsigned int keep)
{
	void *vas[DRM_GPUVM_IMM_POOL_FREE];
	unsigned int n;

	while ((n = drm_gpuvm_imm_pool_pop(vm, keep, vas, ARRAY_SIZE(vas))))
		kfree_bulk(n, vas);
}
EXPORT_SYMBOL_IF_KUNIT(drm_gpuvm_imm_pool_free);

/* Returns the new size of the array if it should shrink, or 0. */
static unsigned int drm_gpuvm_imm_pool_smaller(struct drm_gpuvm_imm *vm)
	__must_hold(&vm->pool_lock)
{
	unsigned int size = max(2 * (vm->pool_count + vm->pool_lent), DRM_GPUVM_IMM_POOL_MAX);

	return size < vm->pool_size / 2 ? size : 0;
}

/*
 * Shrinks the array after drm_gpuvm_imm_pool_trim() has asked for it. If the allocation fails, the
 * pool keeps the larger array. __GFP_NORETRY, because a little memory is not worth the OOM killer.
 */
void drm_gpuvm_imm_pool_shrink(struct drm_gpuvm_imm *vm)
{
	struct drm_gpuva **pool;
	unsigned int size;

	scoped_guard(spinlock, &vm->pool_lock) {
		WRITE_ONCE(vm->pool_shrink, false);
		size = drm_gpuvm_imm_pool_smaller(vm);
	}
	if (!size)
		return;
	pool = kvmalloc_array(size, sizeof(*pool),
			      GFP_KERNEL_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN);
	if (pool)
		drm_gpuvm_imm_pool_replace(vm, pool, size);
}

static bool drm_gpuvm_imm_pool_is_idle(struct drm_gpuvm_imm *vm)
{
	guard(spinlock)(&vm->pool_lock);
	vm->pool_trim = false;

	return vm->pool_count > DRM_GPUVM_IMM_POOL_MAX + vm->pool_lent;
}

/*
 * Frees spare VAs, if there are many. Does not shrink the array: this runs in a worker, so a new
 * array would not be charged to the client.
 */
void drm_gpuvm_imm_pool_trim(struct drm_gpuvm_imm *vm)
{
	if (!drm_gpuvm_imm_pool_is_idle(vm))
		return;

	drm_gpuvm_imm_pool_free(vm, DRM_GPUVM_IMM_POOL_MIN);
	guard(spinlock)(&vm->pool_lock);
	WRITE_ONCE(vm->pool_shrink, drm_gpuvm_imm_pool_smaller(vm));
}
