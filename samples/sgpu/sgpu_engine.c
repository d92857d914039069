// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The engine of the software GPU: executes commands on GPU addresses.
 *
 * The engine reaches memory through the page table only. Like hardware, it works in
 * parallel with the driver, and signals a fence when it is done.
 */

#include <linux/crc32.h>
#include <linux/dma-direct.h>
#include <linux/dma-fence.h>
#include <linux/highmem.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "sgpu_mmu.h"
#include "sgpu_sched.h"
#include "sgpu_vm.h"

static const char *sgpu_fence_driver_name(struct dma_fence *fence)
{
	return "sgpu";
}

static const char *sgpu_fence_timeline_name(struct dma_fence *fence)
{
	return "engine";
}

static const struct dma_fence_ops sgpu_fence_ops = {
	.get_driver_name = sgpu_fence_driver_name,
	.get_timeline_name = sgpu_fence_timeline_name,
};

/*
 * A range of GPU addresses within one page, mapped for the engine
 *
 * Invariant: @cpu is NULL for a sparse page. Otherwise it is a local mapping of the page that
 * the page table named under its lock, which is still held.
 */
struct sgpu_span {
	void *cpu;
	size_t size;
};

/*
 * The bus. A real GPU puts a DMA address on the bus, and the memory answers. Here the
 * driver turns the DMA address back into a page. The probe function has checked that nothing
 * translates addresses between the device and the memory.
 */
static void *sgpu_bus_map(struct sgpu_job *job, dma_addr_t addr)
{
	phys_addr_t phys = dma_to_phys(job->vm->hw->dev, addr);

	if (!pfn_valid(PHYS_PFN(phys)))
		return NULL;
	return kmap_local_page(pfn_to_page(PHYS_PFN(phys)));
}

static int sgpu_fault(struct sgpu_job *job, u32 cmd, u64 addr, bool write)
{
	struct drm_sgpu_vm_fault *fault = &job->vm->fault;

	guard(spinlock)(&job->vm->fault_lock);
	fault->kind = write ? DRM_SGPU_FAULT_WRITE : DRM_SGPU_FAULT_READ;
	fault->addr = addr;
	fault->job = job->number;
	fault->cmd = cmd;
	fault->count++;
	return -EFAULT;
}

/* Maps the memory at @addr, at most @size bytes, up to the end of its page. */
static int sgpu_span_map(struct sgpu_job *job, u32 cmd, u64 addr, u64 size,
			 bool write, struct sgpu_span *span)
{
	u64 pte = sgpu_mmu_walk(&job->vm->mmu, addr);

	span->cpu = NULL;
	span->size = min(size, PAGE_SIZE - offset_in_page(addr));
	if (pte & SGPU_PTE_SPARSE)
		return 0;
	if (!(pte & SGPU_PTE_VALID) || (write && !(pte & SGPU_PTE_WRITE)))
		return sgpu_fault(job, cmd, addr, write);

	span->cpu = sgpu_bus_map(job, pte & SGPU_PTE_ADDR);
	if (!span->cpu)
		return sgpu_fault(job, cmd, addr, write);
	span->cpu += offset_in_page(addr);
	return 0;
}

static void sgpu_span_unmap(struct sgpu_span *span)
{
	if (span->cpu)
		kunmap_local(span->cpu);
}

/* Writes @size bytes from @from or, if @from is NULL, fills @size bytes with @fill. */
static int sgpu_write(struct sgpu_job *job, u32 cmd, u64 addr, u64 size,
		      const u8 *from, u8 fill)
{
	struct sgpu_span span;
	int ret;

	for (; size; addr += span.size, size -= span.size) {
		ret = sgpu_job_check(job);
		if (ret)
			return ret;

		guard(mutex)(&job->vm->mmu.lock);
		ret = sgpu_span_map(job, cmd, addr, size, true, &span);
		if (ret)
			return ret;
		if (span.cpu && from)
			memcpy(span.cpu, from, span.size);
		else if (span.cpu)
			memset(span.cpu, fill, span.size);
		sgpu_span_unmap(&span);
		if (from)
			from += span.size;
	}
	return 0;
}

/* Copies the bytes that lie within one page on both sides. Returns their number. */
static int sgpu_copy_span(struct sgpu_job *job, u32 cmd, u64 dst_addr,
			  u64 src_addr, u64 size, u64 *done)
{
	struct sgpu_span src, dst;
	int ret;

	guard(mutex)(&job->vm->mmu.lock);
	ret = sgpu_span_map(job, cmd, src_addr, size, false, &src);
	if (ret)
		return ret;
	ret = sgpu_span_map(job, cmd, dst_addr, src.size, true, &dst);
	if (!ret) {
		if (dst.cpu && src.cpu)
			memmove(dst.cpu, src.cpu, dst.size);
		else if (dst.cpu)
			memset(dst.cpu, 0, dst.size);
		*done = dst.size;
		sgpu_span_unmap(&dst);
	}
	sgpu_span_unmap(&src);
	return ret;
}

static int sgpu_copy(struct sgpu_job *job, u32 cmd, u64 dst, u64 src, u64 size)
{
	u64 done;
	int ret;

	for (; size; src += done, dst += done, size -= done) {
		ret = sgpu_job_check(job);
		if (!ret)
			ret = sgpu_copy_span(job, cmd, dst, src, size, &done);
		if (ret)
			return ret;
	}
	return 0;
}

static int sgpu_checksum(struct sgpu_job *job, u32 cmd, u64 dst, u64 src,
			 u64 size, u32 crc)
{
	struct sgpu_span span;
	u8 result[4];
	int ret;

	crc = ~crc;
	for (; size; src += span.size, size -= span.size) {
		ret = sgpu_job_check(job);
		if (ret)
			return ret;

		guard(mutex)(&job->vm->mmu.lock);
		ret = sgpu_span_map(job, cmd, src, size, false, &span);
		if (ret)
			return ret;
		crc = crc32_le(crc, span.cpu ?: page_address(ZERO_PAGE(0)),
			       span.size);
		sgpu_span_unmap(&span);
	}

	put_unaligned_le32(~crc, result);
	return sgpu_write(job, cmd, dst, sizeof(result), result, 0);
}

static int sgpu_execute(struct sgpu_job *job, u32 i)
{
	const struct drm_sgpu_cmd *cmd = &job->cmds[i];

	switch (cmd->op) {
	case DRM_SGPU_CMD_FILL:
		return sgpu_write(job, i, cmd->dst, cmd->size, NULL, cmd->value);
	case DRM_SGPU_CMD_COPY:
		return sgpu_copy(job, i, cmd->dst, cmd->src, cmd->size);
	case DRM_SGPU_CMD_CHECKSUM:
		return sgpu_checksum(job, i, cmd->dst, cmd->src, cmd->size,
				     cmd->value);
	}
	return -EINVAL;
}

static void sgpu_engine_work(struct work_struct *work)
{
	struct sgpu_job *job = container_of(work, struct sgpu_job, work);
	struct dma_fence *fence = dma_fence_get(job->fence);
	bool cookie = dma_fence_begin_signalling();
	int ret = 0;
	u32 i;

	sgpu_job_begin(job);
	for (i = 0; i < job->count && !ret; i++)
		ret = sgpu_execute(job, i);

	if (ret)
		dma_fence_set_error(fence, ret);
	/* The scheduler frees the job from here on. */
	dma_fence_signal(fence);
	dma_fence_end_signalling(cookie);
	dma_fence_put(fence);
}

/*
 * Starts the commands of @job. Runs in the fence signalling path, and allocates nothing: the
 * job has all memory. Returns the fence, with a reference for the caller.
 */
struct dma_fence *sgpu_engine_start(struct sgpu_job *job)
{
	dma_fence_init(job->fence, &sgpu_fence_ops, NULL,
		       job->vm->queue.fence_context, job->number);
	INIT_WORK(&job->work, sgpu_engine_work);
	dma_fence_get(job->fence);
	queue_work(job->vm->hw->engine, &job->work);
	return job->fence;
}

static int sgpu_check_cmd(const struct drm_sgpu_cmd *cmd)
{
	u64 dst_size = cmd->size;

	if (!cmd->size || cmd->size > SGPU_MAX_CMD_SIZE)
		return -EINVAL;

	switch (cmd->op) {
	case DRM_SGPU_CMD_FILL:
		if (cmd->src || cmd->value > U8_MAX)
			return -EINVAL;
		break;
	case DRM_SGPU_CMD_COPY:
		if (cmd->value)
			return -EINVAL;
		break;
	case DRM_SGPU_CMD_CHECKSUM:
		dst_size = sizeof(u32);
		break;
	default:
		return -EINVAL;
	}

	/* Addresses beyond the end of the address space are faults, which the engine reports. */
	if (cmd->src > U64_MAX - cmd->size || cmd->dst > U64_MAX - dst_size)
		return -EINVAL;
	return 0;
}

/* Takes over @cmds. */
static int sgpu_job_add_cmds(struct sgpu_job *job, struct drm_sgpu_cmd *cmds, u32 count)
{
	int ret = 0;
	u32 i;

	job->cmds = cmds;
	job->count = count;

	job->fence = kzalloc_obj(*job->fence, GFP_KERNEL_ACCOUNT);
	if (!job->fence)
		return -ENOMEM;

	for (i = 0; i < count && !ret; i++)
		ret = sgpu_check_cmd(&job->cmds[i]);
	return ret;
}

/* Like sgpu_ioctl_vm_bind(): only bringing back an evicted buffer opens a section. */
int sgpu_ioctl_exec(struct drm_dev_ctx_ioctl *ioctl, struct drm_sgpu_exec *args,
		    struct drm_file *drm_file)
{
	struct sgpu_file *file = drm_file->driver_priv;
	struct drm_sgpu_sync *syncs __free(kvfree) = NULL;
	struct drm_sgpu_cmd *cmds __free(kvfree) = NULL;
	struct sgpu_job *job;
	int ret;

	if (args->pad || !args->cmd_count || args->cmd_count > DRM_SGPU_MAX_CMDS ||
	    args->sync_count > DRM_SGPU_MAX_SYNCS)
		return -EINVAL;

	cmds = sgpu_copy_array(args->cmds, args->cmd_count, sizeof(*cmds));
	if (IS_ERR(cmds))
		return PTR_ERR(cmds);
	syncs = sgpu_copy_array(args->syncs, args->sync_count, sizeof(*syncs));
	if (IS_ERR(syncs))
		return PTR_ERR(syncs);

	job = sgpu_job_create(file, args->vm_id, syncs, args->sync_count);
	if (IS_ERR(job))
		return PTR_ERR(job);

	ret = sgpu_job_add_cmds(job, no_free_ptr(cmds), args->cmd_count);
	return sgpu_job_submit(job, ret, &args->job);
}

int sgpu_ioctl_vm_fault(const struct sgpu_reg *reg, struct drm_sgpu_vm_fault *args,
			struct drm_file *drm_file)
{
	struct sgpu_file *file = drm_file->driver_priv;
	struct sgpu_vm *vm __free(drm_dev_ctx_id) =
		drm_dev_ctx_id_lookup(&file->vms, args->vm_id);

	if (IS_ERR(vm))
		return PTR_ERR(vm);

	guard(spinlock)(&vm->fault_lock);
	vm->fault.vm_id = args->vm_id;
	*args = vm->fault;
	return 0;
}
