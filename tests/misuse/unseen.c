// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: unseen
// title: mistakes that no tool sees
// unseen: CAST_BY_VOID: A driver casts an object to another type through ``void *``.
// unseen: CAST_BY_INTEGER: A driver casts an object to another type through ``unsigned long``.
// unseen: COPIED_AS_BYTES: A driver copies a handle byte by byte, as another type.
// unseen: PAST_UNSAFE_PTR: A driver accesses the pointer from drm_vmap_unsafe_ptr() at a variable offset.
// unseen: VADDR_OF_IOMEM: A driver uses the ``.vaddr`` of drm_vmap_unsafe_map() although the mapping is I/O memory.
// unseen: ADDRESS_KEPT: A driver uses a DMA address after the table was revoked. To keep an address, a driver must own the table, and stop the hardware in ``quiesce`` or ``sgt_revoked``.
// unseen: DMA_DEVICE_CHANGED: A driver calls drm_dev_set_dma_dev() while tables are mapped. The library refuses the next table, and DMA-API debugging reports the others.
// unseen: ERROR_DROPPED: A driver does not return the error of a block that was skipped.
// unseen: OTHER_OF_TWO: A driver uses the wrong one of two objects of the same type.
// unseen: FAUX_PARENT: A driver allocates its device for a foreign parent, on a bus that does not know the module of a driver, such as the faux bus.
// unseen: WAITS_FOR_INITIATOR: A section waits for code that must enter a section first. No tool sees this before it happens. When an unplug takes long, the log names both.
// unseen: HARDWARE_BY_POINTER: The handler of a kernel work item, timer or interrupt reaches the hardware through a pointer: a member of the item's structure, a global variable, or dev_get_drvdata().

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

/* Returns the object as the driver's type. */
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

/* Moves the handle of a ring to another structure. */
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
	/* Another handler completes this, in a section of its own. */
	wait_for_completion(&job->done);
#endif
	return ret;
}

/* Writes a link to the other buffer. */
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

/* With FAUX_PARENT, @other belongs to another module. */
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
