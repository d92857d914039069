// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Calls that are wrong in the fence signalling path. The check of objects must name each
 * function of this file, whatever the kernel inlines.
 */

#include "drm_safe_signalling.h"

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/firmware.h>
#include <linux/idr.h>
#include <linux/interrupt.h>
#include <linux/kthread.h>
#include <linux/mempool.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pm_runtime.h>
#include <linux/radix-tree.h>
#include <linux/rwsem.h>
#include <linux/scatterlist.h>
#include <linux/semaphore.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <drm/drm_drv.h>
#include <drm/drm_exec.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_gpuvm.h>
#include <drm/drm_managed.h>
#include <drm/drm_syncobj.h>

#include "drm_dev_ctx.h"
#include "drm_gpuvm_imm.h"
#include "drm_shmem_safe.h"

/* The types of arguments do not matter here, so each call takes @p. */
#define CALL(_name, ...)							\
	long signalling_##_name(void *p, unsigned long n);			\
	long signalling_##_name(void *p, unsigned long n)			\
	{									\
		__VA_ARGS__;							\
		return n;							\
	}
#define GET(_name, ...)		CALL(_name, return (long)(__VA_ARGS__))

/* Memory */
GET(kmalloc, kmalloc(n, GFP_KERNEL))
GET(kmalloc_4k, kmalloc(SZ_4K, GFP_KERNEL))
GET(kzalloc, kzalloc(n, GFP_KERNEL))
GET(kmalloc_nowait, kmalloc(n, GFP_NOWAIT))
GET(kcalloc, kcalloc(n, 8, GFP_KERNEL))
GET(kmalloc_array, kmalloc_array(n, 8, GFP_KERNEL))
GET(krealloc, krealloc(p, n, GFP_KERNEL))
GET(kmemdup, kmemdup(p, n, GFP_KERNEL))
GET(kstrdup, kstrdup(p, GFP_KERNEL))
GET(kstrndup, kstrndup(p, n, GFP_KERNEL))
GET(kasprintf, kasprintf(GFP_KERNEL, "%lu", n))
GET(kvmalloc, kvmalloc(n, GFP_KERNEL))
GET(kvcalloc, kvcalloc(n, 8, GFP_KERNEL))
GET(vmalloc, vmalloc(n))
GET(vzalloc, vzalloc(n))
GET(vmap, vmap(p, n, VM_MAP, PAGE_KERNEL))
CALL(vunmap, vunmap(p))
CALL(vfree, vfree(p))
CALL(kvfree, kvfree(p))
GET(kmem_cache_alloc, kmem_cache_alloc(p, GFP_KERNEL))
GET(kmem_cache_zalloc, kmem_cache_zalloc(p, GFP_KERNEL))
GET(mempool_alloc, mempool_alloc(p, GFP_KERNEL))
GET(alloc_pages, alloc_pages(GFP_KERNEL, n))
GET(get_free_pages, __get_free_pages(GFP_KERNEL, n))
GET(get_zeroed_page, get_zeroed_page(GFP_KERNEL))
GET(devm_kzalloc, devm_kzalloc(p, n, GFP_KERNEL))
GET(drmm_kzalloc, drmm_kzalloc(p, n, GFP_KERNEL))
GET(dma_alloc_coherent, dma_alloc_coherent(p, n, p, GFP_KERNEL))
CALL(dma_free_coherent, dma_free_coherent(p, n, p, 0))
GET(dma_map_sgtable, dma_map_sgtable(p, p, DMA_TO_DEVICE, 0))
GET(sg_alloc_table, sg_alloc_table(p, n, GFP_KERNEL))
GET(idr_alloc, idr_alloc(p, p, 0, 0, GFP_KERNEL))
GET(ida_alloc, ida_alloc(p, GFP_KERNEL))
GET(xa_alloc, xa_alloc(p, p, p, xa_limit_32b, GFP_KERNEL))
GET(xa_store, xa_store(p, n, p, GFP_KERNEL))
GET(xa_insert, xa_insert(p, n, p, GFP_KERNEL))
GET(radix_tree_insert, radix_tree_insert(p, n, p))
GET(shmem_read_page, shmem_read_mapping_page(p, n))
GET(request_firmware, request_firmware(p, "foo", p))

/* Waits */
CALL(msleep, msleep(n))
CALL(usleep_range, usleep_range(n, n))
CALL(fsleep, fsleep(n))
CALL(ssleep, ssleep(n))
CALL(schedule, schedule())
GET(schedule_timeout, schedule_timeout(n))
CALL(wait_for_completion, wait_for_completion(p))
GET(wait_for_completion_timeout, wait_for_completion_timeout(p, n))
CALL(wait_event, wait_event(*(wait_queue_head_t *)p, READ_ONCE(*(int *)p)))
GET(wait_event_timeout, wait_event_timeout(*(wait_queue_head_t *)p, READ_ONCE(*(int *)p), n))
CALL(flush_work, flush_work(p))
CALL(cancel_work_sync, cancel_work_sync(p))
CALL(cancel_delayed_work_sync, cancel_delayed_work_sync(p))
CALL(flush_workqueue, flush_workqueue(p))
CALL(drain_workqueue, drain_workqueue(p))
CALL(timer_delete_sync, timer_delete_sync(p))
CALL(kthread_stop, kthread_stop(p))
CALL(kthread_flush_work, kthread_flush_work(p))
CALL(free_irq, free_irq(n, p))
CALL(synchronize_irq, synchronize_irq(n))
CALL(synchronize_rcu, synchronize_rcu())
CALL(synchronize_rcu_expedited, synchronize_rcu_expedited())
CALL(rcu_barrier, rcu_barrier())
CALL(synchronize_srcu, synchronize_srcu(p))
CALL(srcu_barrier, srcu_barrier(p))
CALL(down, down(p))
CALL(down_read, down_read(p))
CALL(down_write, down_write(p))
GET(mutex_lock_interruptible, mutex_lock_interruptible(p))
GET(ww_mutex_lock, ww_mutex_lock(p, p))
GET(pm_runtime_get_sync, pm_runtime_get_sync(p))
GET(pm_runtime_resume_and_get, pm_runtime_resume_and_get(p))
CALL(pm_runtime_put_sync, pm_runtime_put_sync(p))
CALL(put_device, put_device(p))
CALL(cond_resched, cond_resched())

/* Memory of userspace */
GET(copy_from_user, copy_from_user(p, (void __user *)n, SZ_8K))
GET(copy_to_user, copy_to_user((void __user *)n, p, SZ_8K))
GET(clear_user, clear_user((void __user *)n, SZ_8K))
GET(memdup_user, memdup_user((void __user *)n, SZ_8K))
GET(strncpy_from_user, strncpy_from_user(p, (char __user *)n, SZ_8K))
GET(fault_in_readable, fault_in_readable((char __user *)n, SZ_8K))
GET(fault_in_writeable, fault_in_writeable((char __user *)n, SZ_8K))
GET(get_user_pages_fast, get_user_pages_fast(n, 1, 0, p))

/* Fences and reservation locks */
CALL(dma_fence_wait, dma_fence_wait(p, false))
GET(dma_fence_wait_timeout, dma_fence_wait_timeout(p, false, n))
GET(dma_fence_chain_alloc, dma_fence_chain_alloc())
GET(dma_fence_array_create, dma_fence_array_create(n, p, n, n))
CALL(dma_resv_lock, dma_resv_lock(p, NULL))
GET(dma_resv_lock_ticket, dma_resv_lock(p, p + n))
GET(dma_resv_lock_interruptible, dma_resv_lock_interruptible(p, p))
CALL(dma_resv_lock_slow, dma_resv_lock_slow(p, p))
GET(dma_resv_reserve_fences, dma_resv_reserve_fences(p, n))
GET(dma_resv_wait_timeout, dma_resv_wait_timeout(p, DMA_RESV_USAGE_READ, false, n))
GET(dma_resv_get_singleton, dma_resv_get_singleton(p, DMA_RESV_USAGE_READ, p))
CALL(dma_buf_put, dma_buf_put(p))
GET(dma_buf_vmap_unlocked, dma_buf_vmap_unlocked(p, p))
GET(drm_syncobj_find_fence, drm_syncobj_find_fence(p, n, 0, 0, p))

/* The core's objects and address spaces */
CALL(drm_gem_object_put, drm_gem_object_put(p))
GET(drm_gem_object_lookup, drm_gem_object_lookup(p, n))
GET(drm_gem_handle_create, drm_gem_handle_create(p, p, p))
CALL(drm_gem_lock, drm_gem_lock(p))
GET(drm_gem_vmap, drm_gem_vmap(p, p))
GET(drm_gem_shmem_create, drm_gem_shmem_create(p, n))
GET(drm_gem_shmem_pin, drm_gem_shmem_pin(p))
GET(drm_gem_shmem_get_pages_sgt, drm_gem_shmem_get_pages_sgt(p))
CALL(drm_gem_shmem_purge_locked, drm_gem_shmem_purge_locked(p))
CALL(drm_exec_init, drm_exec_init(p, 0, n))
GET(drm_exec_lock_obj, drm_exec_lock_obj(p, p))
CALL(drm_exec_fini, drm_exec_fini(p))
CALL(drm_gpuvm_put, drm_gpuvm_put(p))
CALL(drm_gpuvm_bo_put, drm_gpuvm_bo_put(p))
GET(drm_gpuvm_bo_obtain_locked, drm_gpuvm_bo_obtain_locked(p, p))
CALL(drm_gpuvm_bo_deferred_cleanup, drm_gpuvm_bo_deferred_cleanup(p))
CALL(drm_gpuva_unlink, drm_gpuva_unlink(p))
GET(drm_gpuvm_prepare_objects, drm_gpuvm_prepare_objects(p, p, n))
GET(drm_gpuvm_exec_lock, drm_gpuvm_exec_lock(p))
GET(drm_gpuvm_sm_map_ops_create, drm_gpuvm_sm_map_ops_create(p, p))
CALL(drm_dev_put, drm_dev_put(p))
CALL(drm_dev_unplug, drm_dev_unplug(p))

/* The library's */
GET(imm_prepare_unmap, drm_gpuvm_imm_prepare_unmap(p, p, n, n))
GET(imm_obtain, drm_gpuvm_imm_obtain_gem(p, p, NULL))
GET(imm_obtain_interruptible, drm_gpuvm_imm_obtain_gem_interruptible(p, p, NULL))
GET(imm_lock, drm_gpuvm_imm_lock(p, p, n))
CALL(imm_flush, drm_gpuvm_imm_flush())
CALL(core_fini, drm_gpuvm_imm_fini(p))
GET(shmem_pin, drm_shmem_pin(p))
CALL(shmem_unpin, drm_shmem_unpin(p))
GET(shmem_purge, drm_shmem_purge(p))
GET(shmem_evict, drm_shmem_evict(p))
CALL(sgt_release, drm_shmem_sgt_release(p))
