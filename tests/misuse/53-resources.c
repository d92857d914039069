// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 53
// title: registers or memory of the device accessed without a proof, or past their end
// rust: b
// wrong: NO_PROOF B: incompatible pointer
// wrong: DIRECT B: access a resource through the handle that drm_dev_ctx_res_or\(\) declares
// wrong: DIRECT_VIEW B: access a resource through the handle that drm_dev_ctx_res_or\(\) declares
// wrong: MAPPING_AS_RESOURCE B: has no member named '__only_resources_are_lent'|no member named '__only_resources_are_lent'
// wrong: NULL_PROOF B: a proof is needed here, such as &reg->base.bound, and NULL is none
// wrong: NULL_PROOF_OF_DMA B: a proof is needed here
// wrong: NULL_PROOF_TO_MAP B: a proof is needed here
// wrong: NULL_PROOF_TO_RELEASE B: a proof is needed here
// wrong: PAST_THE_END B: offset not provably inside of the mapping
// wrong: UNALIGNED B: offset not provably aligned
// wrong: STAYS B: the last argument must leave the scope
// wrong: RING_AS_REGISTERS B: I/O memory is accessed through a handle with DRM_VMAP_IOMEM\(\)
// wrong: REGISTERS_AS_RING B: coherent memory is accessed through a handle with DRM_VMAP\(\)
// wrong: DMA_OF_REGISTERS B: this resource has no DMA address
// wrong: FIRMWARE_WRITTEN B: this mapping is not written to
// wrong: FIRMWARE_FILLED B: this mapping is not written to
// wrong: MORE_MEMBERS B: a resource has the members of DRM_DEV_CTX_RES\(\) only
// wrong: ASSIGNED B: read-only|const-qualified
// wrong: RELAXED_MEMORY B: a relaxed access is for I/O memory
// wrong: RELAXED_PAST_THE_END B: offset not provably inside of the mapping
// wrong: KEPT C: 'regs' is borrowed for a scope and must not be kept
// wrong: ADDRESS_KEPT C: the address of 'regs' is borrowed for a scope and must not be kept
// checked: KEPT: A driver stores a pointer to the handle of a resource in a structure.
// checked: ADDRESS_KEPT: A driver stores the address of a resource in a structure.
// run: drm_dev_ctx_res.res_regs_live: Registers stay mapped until quiesce has returned, and not after the unbind.
// run: drm_dev_ctx_res.res_mapped_late: The same holds for registers that are mapped after the registration.
// run: drm_dev_ctx_res.res_never_mapped: The access is reported, and the last argument leaves the scope.
// run: drm_dev_ctx_res.res_other_device: The proof of another device gives the same.
// run: drm_dev_ctx_res.res_mapped_twice: The second call gives -EBUSY and a report.

#include "drm_dev_ctx_res.h"
#include "foo.h"

#define FOO_STATUS	0x10
#define FOO_IRQ_MASK	0x20
#define FOO_DOORBELL	0x1000

struct foo_regs {
	DRM_VMAP_IOMEM(SZ_64K);
};

struct foo_regs_res {
	DRM_DEV_CTX_RES(struct foo_regs);
#if defined(MORE_MEMBERS)
	u32 index;
#endif
};

struct foo_window {
	DRM_VMAP_IOMEM(SZ_4K);
};

struct foo_cmds {
	DRM_VMAP(SZ_4K);
};

struct foo_cmds_res {
	DRM_DEV_CTX_RES(struct foo_cmds);
};

struct foo_blob {
	DRM_VMAP_CONST(sizeof(struct foo_fw_hdr));
};

struct foo_blob_res {
	DRM_DEV_CTX_RES(struct foo_blob);
};

struct foo_engine {
	struct foo_regs_res regs;
	struct foo_cmds_res cmds;
	struct foo_blob_res blob;
	const struct foo_regs *kept;
	void __iomem *base;
};

int foo_engine_map(struct foo_engine *engine, const struct drm_dev_ctx_bound *bound,
		   const struct resource *where)
{
#if defined(RING_AS_REGISTERS)
	return drm_dev_ctx_ioremap(&engine->cmds, bound, where);
#elif defined(REGISTERS_AS_RING)
	return drm_dev_ctx_dma_alloc(&engine->regs, bound, SZ_64K);
#elif defined(NULL_PROOF_TO_MAP)
	return drm_dev_ctx_dma_alloc(&engine->cmds, NULL, SZ_64K);
#else
	return drm_dev_ctx_ioremap(&engine->regs, bound, where) ?:
	       drm_dev_ctx_dma_alloc(&engine->cmds, bound, SZ_4K) ?:
	       drm_dev_ctx_firmware(&engine->blob, bound, "foo.bin");
#endif
}

u32 foo_engine_status(struct foo_engine *engine, const struct foo_reg *reg)
{
#if defined(NO_PROOF)
	drm_dev_ctx_res_or(regs, &engine->regs, drm_dev_ctx_reg_drm(&reg->base), return 0);
	return drm_vmap_read32(regs, FOO_STATUS);
#elif defined(DIRECT)
	return drm_vmap_read32(&engine->regs, FOO_STATUS);
#elif defined(DIRECT_VIEW)
	drm_vmap_range_or(foo_window, window, &engine->regs, SZ_4K, SZ_4K, return 0);
	return drm_vmap_read32(window, 0);
#elif defined(NULL_PROOF)
	drm_dev_ctx_res_or(regs, &engine->regs, NULL, return 0);
	return drm_vmap_read32(regs, FOO_STATUS);
#elif defined(MAPPING_AS_RESOURCE)
	drm_dev_ctx_res_or(regs, engine->kept, &reg->base.bound, return 0);
	return drm_vmap_read32(regs, FOO_STATUS);
#elif defined(STAYS)
	drm_dev_ctx_res_or(regs, &engine->regs, &reg->base.bound, engine->kept = NULL);
	return drm_vmap_read32(regs, FOO_STATUS);
#else
	drm_dev_ctx_res_or(regs, &engine->regs, &reg->base.bound, return 0);
#if defined(PAST_THE_END)
	return drm_vmap_read32(regs, SZ_64K);
#elif defined(UNALIGNED)
	return drm_vmap_read32(regs, FOO_STATUS + 2);
#elif defined(RELAXED_PAST_THE_END)
	return drm_vmap_read32_relaxed(regs, SZ_64K);
#elif defined(KEPT)
	engine->kept = regs;
#elif defined(ADDRESS_KEPT)
	engine->base = drm_vmap_unsafe_map(regs).vaddr_iomem;
#endif
	return drm_vmap_read32(regs, FOO_STATUS);
#endif
}

void foo_engine_kick(struct foo_engine *engine, const struct foo_reg *reg, u32 tail)
{
	dma_addr_t addr;

	drm_dev_ctx_res_or(regs, &engine->regs, &reg->base.bound, return);
#if defined(DMA_OF_REGISTERS)
	addr = drm_dev_ctx_res_dma(&engine->regs, &reg->base.bound);
#elif defined(NULL_PROOF_OF_DMA)
	addr = drm_dev_ctx_res_dma(&engine->cmds, NULL);
#else
	addr = drm_dev_ctx_res_dma(&engine->cmds, &reg->base.bound);
#endif
	drm_dev_ctx_res_or(cmds, &engine->cmds, &reg->base.bound, return);
#if defined(RELAXED_MEMORY)
	drm_vmap_write32_relaxed(cmds, 0, tail);
#else
	drm_vmap_write32(cmds, 0, tail);
#endif
	drm_vmap_write32_relaxed(regs, FOO_IRQ_MASK, 1);
	/* The device reads the memory from here on, so this is not relaxed. */
	drm_vmap_write64(regs, FOO_DOORBELL, addr + tail);
}

u32 foo_engine_entry(struct foo_engine *engine, const struct foo_reg *reg)
{
	drm_dev_ctx_res_or(blob, &engine->blob, &reg->base.bound, return 0);
#if defined(FIRMWARE_WRITTEN)
	drm_vmap_write_field(blob, struct foo_fw_hdr, magic, 0);
#elif defined(FIRMWARE_FILLED)
	drm_vmap_fill(blob, 0, 0, 4);
#endif
	return drm_vmap_read_field(blob, struct foo_fw_hdr, entry);
}

void foo_engine_shrink(struct foo_engine *engine, const struct drm_dev_ctx_bound *bound)
{
#if defined(NULL_PROOF_TO_RELEASE)
	drm_dev_ctx_res_release(&engine->cmds, NULL);
#else
	drm_dev_ctx_res_release(&engine->cmds, bound);
#endif
}

void foo_engine_move(struct foo_engine *to, struct foo_engine *from)
{
#if defined(ASSIGNED)
	to->regs = from->regs;
#endif
	to->kept = NULL;
}
