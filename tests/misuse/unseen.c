// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: unseen
// title: what no layer sees
// unseen: CAST_BY_VOID: A cast by way of ``void *``.
// unseen: CAST_BY_INTEGER: A cast by way of ``unsigned long``.
// unseen: COPIED_AS_BYTES: A handle that is copied byte by byte under another type.
// unseen: PAST_UNSAFE_PTR: An access at an offset that varies to what drm_vmap_unsafe_ptr() gave.
// unseen: VADDR_OF_IOMEM: The ``.vaddr`` of drm_vmap_unsafe_map() if the mapping is I/O memory.
// unseen: ADDRESS_KEPT: A DMA address that was read from a table and is used after the table was revoked. A driver that keeps one owns the table, and stops the hardware in ``quiesce`` or ``sgt_revoked``.
// unseen: DMA_DEVICE_CHANGED: A drm_dev_set_dma_dev() while tables are mapped. The next table is refused, and DMA-API debugging sees the rest.
// unseen: ERROR_DROPPED: The error of a block that was skipped, if nothing returns it.
// unseen: OTHER_OF_TWO: Which of two objects of one type is meant.
// unseen: FAUX_PARENT: A foreign parent on a bus whose drivers do not say to which module they belong, such as the faux bus.
// unseen: WAITS_FOR_INITIATOR: A wait in a section that ends only if a section can be entered, before it happens. When an unplug takes long, the log names both.
// unseen: HARDWARE_BY_POINTER: Hardware that a handler of a kernel work item, timer or interrupt reaches through a pointer: a member of the item's structure, a global variable, or dev_get_drvdata().

#include <linux/completion.h>
#include <linux/device/faux.h>
#include <linux/io.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "foo.h"

struct foo_pair {
	struct foo_bo *from, *to;
};

struct foo_blob {
	u8 bytes[sizeof(struct foo_ring_owned)];
};

struct foo_job {
	dma_addr_t addr;
	struct completion done;
};

struct foo_meter {
	struct work_struct work;
	struct foo_meter_hw *hw;
	u32 reads;
};

struct foo_meter_hw {
	struct drm_dev_ctx_data base;
	void __iomem *regs;
};

void foo_hw_clear(void *addr);
void foo_meter_work(struct work_struct *work);

/* An object of the driver's type */
struct foo_bo *foo_bo_of(void *cookie)
{
#if defined(CAST_BY_VOID)
	return cookie;
#elif defined(CAST_BY_INTEGER)
	unsigned long number = (unsigned long)cookie;

	return (struct foo_bo *)number;
#else
	return drm_shmem_from_gem(&foo_bo_type, cookie);
#endif
}

/* A ring that moves to another place */
void foo_ring_move(struct foo_ring_owned *to, struct foo_ring_owned *from)
{
#if defined(COPIED_AS_BYTES)
	struct foo_blob *blob = (void *)to;

	*blob = *(struct foo_blob *)(void *)from;
#else
	drm_vmap_move(to, from);
#endif
}

int foo_fw_clear(struct foo_bo *bo, u64 offset)
{
	int ret;

	drm_vmap_guard(foo_fw, fw, &bo->shmem, ret) {
#if defined(PAST_UNSAFE_PTR)
		u8 *bytes = drm_vmap_unsafe_ptr(fw);

		bytes[offset] = 0;
#else
		ret = drm_vmap_try_write32(fw, offset, 0);
#endif
	}
	return ret;
}

/* A buffer in video memory */
int foo_vram_clear(struct foo_bo *bo)
{
	int ret;

	drm_vmap_or(foo_vram, vram, &bo->shmem, ret, return ret);
#if defined(VADDR_OF_IOMEM)
	foo_hw_clear(drm_vmap_unsafe_map(vram).vaddr);
#else
	drm_vmap_write32(vram, 0, 0);
#endif
	return 0;
}

int foo_job_start(const struct foo_reg *reg, struct foo_bo *bo, struct foo_job *job)
{
	int ret;

#if defined(DMA_DEVICE_CHANGED)
	drm_dev_set_dma_dev(drm_dev_ctx_reg_drm(&reg->base),
			    drm_dev_ctx_bound_parent(&reg->base.bound)->parent);
#endif
	drm_shmem_sgt_or(sgt, &reg->base.bound, &bo->shmem, ret, return ret);
#if defined(ADDRESS_KEPT)
	job->addr = sg_dma_address(drm_shmem_sgt_table(sgt)->sgl);
#endif
	ret = foo_hw_submit(reg, drm_shmem_sgt_table(sgt)->nents);
#if defined(WAITS_FOR_INITIATOR)
	/* Some other handler, in a section of its own, completes it. */
	wait_for_completion(&job->done);
#endif
	return ret;
}

/* Write what says where the other buffer is. */
int foo_pair_link(struct foo_pair *pair)
{
	int ret;

#if defined(OTHER_OF_TWO)
	drm_vmap_guard(foo_fw, fw, &pair->to->shmem, ret)
		drm_vmap_write32(fw, 0, 1);
#else
	drm_vmap_guard(foo_fw, fw, &pair->from->shmem, ret)
		drm_vmap_write32(fw, 0, 1);
#endif
#if defined(ERROR_DROPPED)
	return 0;
#else
	return ret;
#endif
}

/* Called by the probe function of another module's faux device, with FAUX_PARENT */
struct drm_dev_ctx_unreg *foo_alloc(struct faux_device *own, struct faux_device *other)
{
#if defined(FAUX_PARENT)
	return drm_dev_ctx_alloc(&other->dev, &foo_driver, struct foo_device, ctx);
#else
	return drm_dev_ctx_alloc(&own->dev, &foo_driver, struct foo_device, ctx);
#endif
}

/* The meter may be read after the registration has ended. */
void foo_meter_work(struct work_struct *work)
{
	struct foo_meter *meter = container_of(work, struct foo_meter, work);

#if defined(HARDWARE_BY_POINTER)
	readl(meter->hw->regs);
#endif
	meter->reads++;
}
