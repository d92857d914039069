// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * SUBMIT: copies between objects, which the device does one after the other.
 */

#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include <drm/drm_exec.h>
#include <drm/drm_file.h>
#include <drm/drm_syncobj.h>

#include "edu.h"

/* The tables of the two objects of a copy: empty for slots */
struct edu_tables {
	struct drm_shmem_sgt_owned src;
	struct drm_shmem_sgt_owned dst;
};

/*
 * struct edu_submit - the copies of a SUBMIT
 *
 * Invariants:
 *
 * - @src, @dst and @tables keep the objects and their addresses until the device has answered.
 * - The copies before @at, and @done bytes of that one, are done or running. If @staged is set,
 *   the bytes after that are on their way.
 * - The objects of the first @shown copies are the device's until the end of the job. @shown is 0
 *   until the job begins.
 */
struct edu_submit {
	struct edu_job job;
	struct llist_node over;
	struct edu_file *file;
	struct drm_edu_copy *copies;
	struct edu_tables *tables;
	struct edu_bos *src;
	struct edu_bos *dst;
	u32 count;

	u32 shown;
	u32 at;
	u64 done;
	bool staged;
};

static const char *edu_fence_name(struct dma_fence *fence)
{
	return "edu";
}

/* No release or wait function: a signalled fence does not need this module. */
static const struct dma_fence_ops edu_fence_ops = {
	.get_driver_name = edu_fence_name,
	.get_timeline_name = edu_fence_name,
};

/* Signals the fence of a job, unless that was done before. */
void edu_signal(struct edu_job *job, int ret)
{
	struct dma_fence *fence = xchg(&job->fence, NULL);

	if (!fence)
		return;
	if (ret)
		dma_fence_set_error(fence, ret);
	dma_fence_signal(fence);
	dma_fence_put(fence);
}

static void edu_submit_free(struct edu_submit *submit)
{
	u32 i;

	for (i = 0; submit->tables && i < submit->count; i++) {
		drm_shmem_sgt_cleanup(&submit->tables[i].src);
		drm_shmem_sgt_cleanup(&submit->tables[i].dst);
	}
	if (!IS_ERR(submit->src))
		drm_shmem_objs_free(submit->src);
	if (!IS_ERR(submit->dst))
		drm_shmem_objs_free(submit->dst);
	kvfree(submit->tables);
	kvfree(submit->copies);
	atomic_dec(&submit->file->jobs);
	edu_file_put(submit->file);
	kfree(submit);
}

/* Frees the submits that the device is done with: this may sleep, and edu_submit_end() may not. */
void edu_free_over(struct edu_hw *hw)
{
	struct edu_submit *submit, *next;

	llist_for_each_entry_safe(submit, next, llist_del_all(&hw->over), over)
		edu_submit_free(submit);
}

static int edu_place(struct edu_bos *bos, u32 at, const struct drm_dev_ctx_bound *bound,
		     const struct drm_shmem_sgt_owned *sgt, u64 offset, struct edu_place *place)
{
	struct edu_bo *bo = drm_shmem_objs_at(bos, at);

	return drm_shmem_ops(&edu_bo_base, bo)->place(bo, bound, sgt, offset, place);
}

/* Makes the contents of a range of an object visible to the device. */
static int edu_show(struct edu_bo *bo, const struct drm_dev_ctx_bound *bound, u64 offset, u64 len,
		    enum dma_data_direction dir)
{
	int ret = drm_shmem_sync_range_for_device(bound, &bo->shmem, offset, len, dir);

	/* The exporter of an import does that. */
	return ret == -EOPNOTSUPP ? 0 : ret;
}

/*
 * Called when the device is done with the jobs before this one, which may write to the same
 * objects. With a bounce buffer, an earlier call would overwrite what these jobs have copied.
 */
static int edu_submit_show(struct edu_submit *submit, const struct drm_dev_ctx_bound *bound)
{
	const struct drm_edu_copy *copy;
	int ret;

	for (; submit->shown < submit->count; submit->shown++) {
		copy = &submit->copies[submit->shown];
		ret = edu_show(drm_shmem_objs_at(submit->src, submit->shown), bound,
			       copy->src_offset, copy->len, DMA_TO_DEVICE) ?:
		      edu_show(drm_shmem_objs_at(submit->dst, submit->shown), bound,
			       copy->dst_offset, copy->len, DMA_BIDIRECTIONAL);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * The device copies only from the memory of the machine to its own, or back. Other copies take two
 * steps, by way of the other memory.
 */
static int edu_submit_next(struct edu_job *job, struct edu_hw *hw,
			   const struct drm_dev_ctx_bound *bound, struct edu_step *step)
{
	struct edu_submit *submit = container_of(job, struct edu_submit, job);
	const struct drm_edu_copy *copy = &submit->copies[submit->at];
	const struct edu_tables *tables = &submit->tables[submit->at];
	struct edu_place src = {}, dst = {};
	u32 via;
	int ret;

	if (submit->at == submit->count)
		return 0;
	ret = edu_submit_show(submit, bound);
	if (ret)
		return ret;
	ret = edu_place(submit->src, submit->at, bound, &tables->src,
			copy->src_offset + submit->done, &src) ?:
	      edu_place(submit->dst, submit->at, bound, &tables->dst,
			copy->dst_offset + submit->done, &dst);
	if (ret)
		return ret;

	step->src = src.addr;
	step->dst = dst.addr;
	step->len = min3(min(src.len, dst.len), copy->len - submit->done, EDU_WINDOW_SIZE);
	step->to_machine = src.in_device;
	if (src.in_device == dst.in_device) {
		via = EDU_WINDOW;
		if (src.in_device)
			via = drm_dev_ctx_res_dma(&hw->mem, bound) + EDU_USED;
		submit->staged = !submit->staged;
		if (submit->staged) {
			step->dst = via;
			return 1;
		}
		step->src = via;
		step->to_machine = !src.in_device;
	}

	submit->done += step->len;
	if (submit->done == copy->len) {
		submit->done = 0;
		submit->at++;
	}
	return 1;
}

static void edu_submit_end(struct edu_job *job, struct edu_hw *hw,
			   const struct drm_dev_ctx_bound *bound, int ret)
{
	struct edu_submit *submit = container_of(job, struct edu_submit, job);
	const struct drm_edu_copy *copy;
	struct edu_bo *bo;
	int err;
	u32 i;

	/*
	 * With a bounce buffer, the CPU sees the copies only after this. What the device was not
	 * shown is older there than what the CPU has.
	 */
	for (i = 0; i < submit->shown; i++) {
		bo = drm_shmem_objs_at(submit->dst, i);
		copy = &submit->copies[i];
		err = drm_shmem_sync_range_for_cpu(bound, &bo->shmem, copy->dst_offset, copy->len,
						   DMA_FROM_DEVICE);
		if (err && err != -EOPNOTSUPP)
			ret = ret ?: err;
	}
	atomic64_add(ktime_get_ns() - hw->began, &submit->file->busy_ns);
	edu_signal(job, ret);
	llist_add(&submit->over, &hw->over);
	drm_dev_ctx_work_queue(&hw->free_work, system_dfl_wq, 0);
}

/* Each copy has to be inside of its objects, and all of them within the limit. */
static int edu_submit_check(struct edu_submit *submit)
{
	u64 src_end, dst_end, bytes = 0;
	const struct drm_edu_copy *copy;
	struct edu_bo *src, *dst;
	u32 i;

	drm_shmem_objs_for_each(i, src, submit->src) {
		copy = &submit->copies[i];
		dst = drm_shmem_objs_at(submit->dst, i);
		if (!copy->len ||
		    check_add_overflow(copy->src_offset, copy->len, &src_end) ||
		    check_add_overflow(copy->dst_offset, copy->len, &dst_end) ||
		    src_end > drm_shmem_ops(&edu_bo_base, src)->size(src) ||
		    dst_end > drm_shmem_ops(&edu_bo_base, dst)->size(dst))
			return -EINVAL;
		if (check_add_overflow(bytes, copy->len, &bytes) || bytes > DRM_EDU_MAX_BYTES)
			return -E2BIG;
	}
	return 0;
}

static int edu_submit_copy(struct edu_submit *submit, struct drm_file *file,
			   const struct drm_edu_submit *args)
{
	submit->copies = kvmalloc_objs(*submit->copies, submit->count, GFP_KERNEL_ACCOUNT);
	submit->tables = kvzalloc_objs(*submit->tables, submit->count, GFP_KERNEL_ACCOUNT);
	if (!submit->copies || !submit->tables)
		return -ENOMEM;
	if (copy_from_user(submit->copies, u64_to_user_ptr(args->copies),
			   array_size(submit->count, sizeof(*submit->copies))))
		return -EFAULT;

	submit->src = drm_shmem_lookup_members(&edu_bo_base, edu_bos, file, submit->copies,
					       submit->count, src);
	if (IS_ERR(submit->src))
		return PTR_ERR(submit->src);
	submit->dst = drm_shmem_lookup_members(&edu_bo_base, edu_bos, file, submit->copies,
					       submit->count, dst);
	if (IS_ERR(submit->dst))
		return PTR_ERR(submit->dst);
	return edu_submit_check(submit);
}

static struct edu_submit *edu_submit_create(struct drm_file *drm_file,
					    const struct drm_edu_submit *args)
{
	struct edu_file *file = drm_file->driver_priv;
	struct edu_submit *submit;
	int ret;

	if (!args->count)
		return ERR_PTR(-EINVAL);
	if (args->count > DRM_EDU_MAX_COPIES)
		return ERR_PTR(-E2BIG);
	submit = kzalloc_obj(*submit, GFP_KERNEL_ACCOUNT);
	if (!submit)
		return ERR_PTR(-ENOMEM);
	if (!atomic_add_unless(&file->jobs, 1, DRM_EDU_MAX_JOBS)) {
		kfree(submit);
		return ERR_PTR(-EBUSY);
	}
	kref_get(&file->ref);
	submit->file = file;
	submit->count = args->count;
	submit->job.next = edu_submit_next;
	submit->job.end = edu_submit_end;
	ret = edu_submit_copy(submit, drm_file, args);
	if (ret) {
		edu_submit_free(submit);
		return ERR_PTR(ret);
	}
	return submit;
}

/* The device does our jobs in their order. So wait only for the fences of others. */
static int edu_wait_others(struct edu_bo *bo, enum dma_resv_usage usage)
{
	struct drm_gem_object *gem = drm_shmem_gem(&bo->shmem);
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	int ret;

	dma_resv_for_each_fence(&cursor, gem->resv, usage, fence) {
		if (fence->context == to_edu(gem->dev)->context)
			continue;
		ret = dma_fence_wait(fence, true);
		if (ret)
			return ret;
	}
	return 0;
}

/* Does everything that can take long, before the section. */
static int edu_prepare(struct edu_bos *bos, bool write)
{
	struct edu_bo *bo;
	int ret;
	u32 i;

	drm_shmem_objs_for_each(i, bo, bos) {
		ret = edu_wait_others(bo, dma_resv_usage_rw(write));
		if (!ret && drm_shmem_kind(&edu_buffer_type, bo))
			ret = drm_shmem_sgt_prepare_locked(&bo->shmem);
		if (ret)
			return ret;
	}
	return 0;
}

static int edu_submit_lock(struct edu_submit *submit, struct drm_exec *exec)
{
	int ret = 0;

	/* An object may be in both arrays, and get a fence as a source and as a destination. */
	drm_exec_until_all_locked(exec) {
		ret = drm_shmem_objs_prepare(exec, submit->src, 2);
		drm_exec_retry_on_contention(exec);
		if (ret)
			return ret;
		ret = drm_shmem_objs_prepare(exec, submit->dst, 2);
		drm_exec_retry_on_contention(exec);
		if (ret)
			return ret;
	}
	return edu_prepare(submit->src, false) ?: edu_prepare(submit->dst, true);
}

static int edu_own(struct edu_bo *bo, struct drm_shmem_sgt_owned *sgt,
		   const struct drm_dev_ctx_bound *bound)
{
	if (!drm_shmem_kind(&edu_buffer_type, bo))
		return 0;
	return drm_shmem_sgt_own_locked(sgt, bound, &bo->shmem);
}

/* Owns the tables of all buffers. */
static int edu_submit_own(struct edu_submit *submit, const struct drm_dev_ctx_bound *bound)
{
	struct edu_tables *tables;
	int ret;
	u32 i;

	for (i = 0; i < submit->count; i++) {
		tables = &submit->tables[i];
		ret = edu_own(drm_shmem_objs_at(submit->src, i), &tables->src, bound) ?:
		      edu_own(drm_shmem_objs_at(submit->dst, i), &tables->dst, bound);
		if (ret)
			return ret;
	}
	return 0;
}

static void edu_add_fence(struct edu_bos *bos, struct dma_fence *fence, enum dma_resv_usage usage)
{
	struct edu_bo *bo;
	u32 i;

	drm_shmem_objs_for_each(i, bo, bos)
		dma_resv_add_fence(drm_shmem_gem(&bo->shmem)->resv, fence, usage);
}

/*
 * Queues the copies under the locks of all objects. Once they are queued, @submit may be gone: so
 * the fence is everywhere before that.
 */
static int edu_submit_queue(const struct drm_dev_ctx_live *live, struct edu_submit *submit,
			    struct dma_fence *fence, struct drm_syncobj *syncobj)
{
	struct edu_hw *hw = edu_live_hw(live);
	int ret;

	guard(mutex)(&hw->order);
	dma_fence_init(fence, &edu_fence_ops, NULL, to_edu(drm_dev_ctx_live_drm(live))->context,
		       ++hw->seqno);
	submit->job.fence = fence;
	edu_add_fence(submit->src, fence, DMA_RESV_USAGE_READ);
	edu_add_fence(submit->dst, fence, DMA_RESV_USAGE_WRITE);
	if (syncobj)
		drm_syncobj_replace_fence(syncobj, fence);
	ret = edu_queue(live, &submit->job);
	if (ret)
		edu_signal(&submit->job, ret);
	return ret;
}

static int edu_submit_run(struct drm_dev_ctx_ioctl *ioctl, struct edu_submit *submit,
			  struct drm_syncobj *syncobj)
{
	struct dma_fence *fence;
	int ret;

	drm_dev_ctx_or(edu_reg, reg, ioctl, return -ENODEV);

	ret = edu_submit_own(submit, &reg->base.bound);
	if (ret)
		return ret;
	fence = kzalloc_obj(*fence, GFP_KERNEL_ACCOUNT);
	if (!fence)
		return -ENOMEM;
	return edu_submit_queue(drm_dev_ctx_reg_live(&reg->base), submit, fence, syncobj);
}

static int edu_ioctl_submit(struct drm_dev_ctx_ioctl *ioctl, struct drm_edu_submit *args,
			    struct drm_file *file)
{
	struct drm_syncobj *syncobj = NULL;
	struct edu_submit *submit;
	struct drm_exec exec;
	int ret;

	submit = edu_submit_create(file, args);
	if (IS_ERR(submit))
		return PTR_ERR(submit);
	if (args->out_sync) {
		syncobj = drm_syncobj_find(file, args->out_sync);
		if (!syncobj) {
			edu_submit_free(submit);
			return -ENOENT;
		}
	}

	drm_exec_init(&exec, DRM_EXEC_INTERRUPTIBLE_WAIT | DRM_EXEC_IGNORE_DUPLICATES,
		      2 * submit->count);
	ret = edu_submit_lock(submit, &exec) ?: edu_submit_run(ioctl, submit, syncobj);
	drm_exec_fini(&exec);
	if (ret)
		edu_submit_free(submit);
	if (syncobj)
		drm_syncobj_put(syncobj);
	return ret;
}

/* Unguarded, because it waits for userspace, for locks and for the fences of others. */
DRM_DEV_CTX_IOCTL_UNGUARDED_EXTERN(EDU_SUBMIT, edu_ioctl_submit, struct drm_edu_submit);
