// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// Convert code for objects that only ivpu has.
// The driver maps and unmaps tables by hand, and imports by hand. It puts its objects on a list of
// the device. An object has one kernel mapping, from its creation on.
virtual patch

// The library has one table for an object, wherever its pages come from.
@attachment@
@@
-struct sg_table *ivpu_bo_map_attachment(...) { ... }

@bind@
identifier o, table, ret;
statement S1, S2;
@@
 ivpu_bo_bind(struct ivpu_bo *o)
 {
 ...
-struct sg_table *table;
 int ret = 0;
 ...
-if (drm_gem_is_imported(...)) S1 else S2
-if (IS_ERR(table)) { ... }
+drm_dev_ctx_live_or(live, to_drm_dev_ctx(o->base.base.dev), DRM_SAFE_RETURN(-ENODEV));
+drm_shmem_sgt_or(lent, &live->bound, &o->obj, ret, DRM_SAFE_RETURN(ret));
 <+...
-table
+drm_shmem_sgt_table(lent)
 ...+>
 }

// A mapped table always covers its object, so drop the checks of its addresses.
@unbind@
identifier o, f = ivpu_bo_unbind_locked;
expression v;
@@
 f(struct ivpu_bo *o)
 {
 ...
 if (o->mmu_mapped) {
 ...
-drm_WARN_ON(v, !o->base.sgt);
 ivpu_mmu_context_unmap_sgt(...,
-	o->base.sgt
+	ivpu_bo_size(o)
	);
 ...
 }
 ...
-if (o->base.sgt) { ... }
 }

@sized@
identifier v, ctx, addr, table;
@@
 ivpu_mmu_context_unmap_sgt(struct ivpu_device *v, struct ivpu_mmu_context *ctx, u64 addr,
-	struct sg_table *table
+	u64 size
 )
 { ... }

@declared@
identifier v, ctx, addr, table;
@@
 void ivpu_mmu_context_unmap_sgt(struct ivpu_device *v, struct ivpu_mmu_context *ctx, u64 addr,
-	struct sg_table *table
+	u64 size
 );

@unmap@
identifier v, ctx, addr, i, sg, size;
expression table;
iterator name for_each_sgtable_dma_sg;
@@
 ivpu_mmu_context_unmap_sgt(struct ivpu_device *v, struct ivpu_mmu_context *ctx, u64 addr, u64 size)
 {
-struct scatterlist *sg;
 ...
-u64 i;
 ...
-for_each_sgtable_dma_sg(table, sg, i) { ... }
+ivpu_dbg(v, MMU_MAP, "Unmap ctx: %u vpu_addr: 0x%llx size: %llu\n", ctx->id, addr, size);
+ivpu_mmu_context_unmap_pages(ctx, addr, size);
 ...
 }

@shown@
struct ivpu_bo *o;
@@
-o->base.sgt
+drm_shmem_has_sgt(&o->obj)

// An object is on the list from its init step on.
@listed@
identifier o, dev, size;
@@
 ivpu_gem_create_object(struct drm_device *dev, size_t size)
 {
+struct ivpu_device *vdev = to_ivpu_device(dev);
 <+...
 INIT_LIST_HEAD(&o->bo_list_node);
+mutex_lock(&vdev->bo_list_lock);
+list_add_tail(&o->bo_list_node, &vdev->bo_list);
+mutex_unlock(&vdev->bo_list_lock);
 ...+>
 }

@made@
identifier o, v;
@@
 ivpu_bo_alloc(struct ivpu_device *v, ...)
 {
 <+...
-mutex_lock(&v->bo_list_lock);
-list_add_tail(&o->bo_list_node, &v->bo_list);
-mutex_unlock(&v->bo_list_lock);
 ...+>
 }

@imported@
identifier dev, b;
@@
 ivpu_gem_prime_import(struct drm_device *dev, struct dma_buf *b)
 {
-...
+return drm_shmem_prime_import_no_map(dev, b);
 }

// The kernel mapping
@member@
@@
 struct ivpu_bo {
 ...
 struct drm_mm_node mm_node;
+struct ivpu_map_owned map;
 ...
 };

@own@
identifier o, ret, m;
@@
 ivpu_bo_create(...)
 {
-struct iosys_map m;
 <+...
-ivpu_bo_lock(o);
-ret = drm_gem_shmem_vmap_locked(&o->base, &m);
-ivpu_bo_unlock(o);
+ret = drm_vmap_own(&o->map, &o->obj);
 ...+>
 }

@release@
identifier o, m;
@@
 ivpu_bo_free(struct ivpu_bo *o)
 {
-struct iosys_map m = ...;
-if (...) { ... }
+drm_vmap_release(&o->map);
 ...
 }

@address@
identifier o;
@@
 ivpu_bo_vaddr(struct ivpu_bo *o)
 {
-return o->base.vaddr;
+return drm_vmap_unsafe_map(&o->map).vaddr;
 }

@freed@
struct ivpu_bo *o;
expression v;
@@
 drm_WARN_ON(v,
-	o->base.vaddr
+	drm_shmem_has_vmap(&o->obj)
	)

// Create the offset without the lock.
@offset@
identifier args, g, o, ret;
@@
 ivpu_bo_info_ioctl(...)
 {
 ...
 int ret = 0;
 ...
-args->mmap_offset = drm_vma_node_offset_addr(&g->vma_node);
 ...
 ivpu_bo_unlock(o);
+ret = drm_shmem_mmap_offset(&o->obj, &args->mmap_offset);
 ...
 }
