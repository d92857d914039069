// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// Convert code for objects that only imagination has.
// The driver maps and unmaps an object in two functions, whose calls may be nested. It keeps the
// table of an object for an operation of its page table. A flag of an object forbids mmap().
virtual patch

@counted@
@@
 struct pvr_gem_object {
 ...
 u64 flags;
+	/** @map_lock: Protects @maps and @map. */
+	struct mutex map_lock;
+	/** @maps: How often the object is mapped into the kernel. */
+	unsigned int maps;
+	/** @map: The mapping, while @maps is not zero. */
+	struct pvr_map_owned map;
 };

@prepared@
identifier o;
@@
 pvr_gem_create_object(...)
 {
 ...
 if (!o) return ...;
+mutex_init(&o->map_lock);
 ...
 }

@mapped@
identifier o;
@@
 pvr_gem_object_vmap(struct pvr_gem_object *o)
 {
-...
+	int err = 0;
+
+	mutex_lock(&o->map_lock);
+	if (!o->maps)
+		err = drm_vmap_own(&o->map, &o->obj);
+	if (!err)
+		o->maps++;
+	mutex_unlock(&o->map_lock);
+	if (err)
+		return ERR_PTR(err);
+
+	if (o->flags & PVR_BO_CPU_CACHED) {
+		err = drm_shmem_cpu_begin(&o->obj, DMA_BIDIRECTIONAL);
+		if (err) {
+			pvr_gem_object_vunmap(o);
+			return ERR_PTR(err);
+		}
+	}
+
+	return drm_vmap_unsafe_map(&o->map).vaddr;
 }

@unmapped@
identifier o;
@@
 pvr_gem_object_vunmap(struct pvr_gem_object *o)
 {
-...
+	int err = 0;
+
+	if (o->flags & PVR_BO_CPU_CACHED)
+		err = drm_shmem_cpu_end(&o->obj, DMA_BIDIRECTIONAL);
+	if (err)
+		dev_dbg(o->base.base.dev->dev, "buffer was not flushed: %d\n", err);
+
+	mutex_lock(&o->map_lock);
+	if (!WARN_ON(!o->maps) && !--o->maps)
+		drm_vmap_release(&o->map);
+	mutex_unlock(&o->map_lock);
 }

// Create an object that userspace must not map with that flag.
@forbidden@
identifier o, v;
@@
-int pvr_gem_mmap(struct drm_gem_object *o, struct vm_area_struct *v) { ... }

@ops@
identifier t;
@@
 struct drm_gem_object_funcs t = {
 ...,
 .mmap =
-	pvr_gem_mmap
+	drm_gem_shmem_object_mmap
 ,...
 };

@created@
identifier dev, size, flags;
expression D;
@@
 pvr_gem_object_create(struct pvr_device *dev, size_t size, u64 flags)
 {
+	const struct drm_shmem_opts opts = {
+		.no_mmap = !(flags & DRM_PVR_BO_ALLOW_CPU_USERSPACE_ACCESS),
+	};
 ...
 drm_gem_shmem_create(D, size
+	, &opts
 )
 ...
 }

@address@
identifier o, s;
iterator name for_each_sgtable_dma_sg;
@@
 pvr_gem_get_dma_addr(struct pvr_gem_object *o, ...)
 {
-struct drm_gem_shmem_object *s = &o->base;
+int err;
 ...
-WARN_ON(!s->sgt);
+drm_dev_ctx_live_or(live, to_drm_dev_ctx(o->base.base.dev), DRM_SAFE_RETURN(-ENODEV));
+drm_shmem_sgt_or(lent, &live->bound, &o->obj, err, DRM_SAFE_RETURN(err));
 for_each_sgtable_dma_sg(
-	s->sgt
+	drm_shmem_sgt_table(lent)
 	, ...) { ... }
 ...
 }

// The operation owns the table that it keeps.
@kept@
identifier m;
@@
 struct pvr_vm_bind_op {
 ...
 struct pvr_mmu_op_context *m;
+	/** @sgt: Table of @pvr_obj, for @mmu_op_ctx (map only). */
+	struct drm_shmem_sgt_owned sgt;
 ...
 };

@released@
identifier op;
@@
 pvr_vm_bind_op_fini(struct pvr_vm_bind_op *op)
 {
 ...
 if (op->mmu_op_ctx) { ... }
+drm_shmem_sgt_cleanup(&op->sgt);
 }

@owned@
identifier op, o, g, sgt, err, L, f = pvr_mmu_op_context_create;
expression C;
expression list A;
iterator name drm_dev_ctx_guard_live, drm_shmem_sgt_guard_owned;
@@
 pvr_vm_bind_op_map_init(struct pvr_vm_bind_op *op, ...)
 {
 ...
 struct drm_gem_object *g = &o->base.base;
 ...
-struct sg_table *sgt;
 ...
-sgt = drm_gem_shmem_get_pages_sgt(&o->base);
-err = PTR_ERR_OR_ZERO(sgt);
-if (err) goto L;
-op->mmu_op_ctx = f(C, sgt, A);
-err = PTR_ERR_OR_ZERO(op->mmu_op_ctx);
+err = -ENODEV;
+drm_dev_ctx_guard_live(live, to_drm_dev_ctx(g->dev)) {
+	err = drm_shmem_sgt_own(&op->sgt, &live->bound, &o->obj);
+	if (err)
+		break;
+	drm_shmem_sgt_guard_owned(lent, &live->bound, &op->sgt, err) {
+		op->mmu_op_ctx = f(C, drm_shmem_sgt_table(lent), A);
+		err = PTR_ERR_OR_ZERO(op->mmu_op_ctx);
+	}
+}
 if (err) { ... }
 ...
 }

@stored@
@@
 struct pvr_mmu_op_context {
 ...
 struct {
 ...
+const
 struct sg_table *sgt;
 ...
 } map;
 ...
 };

@handed@
identifier sgt;
@@
 pvr_mmu_op_context_create(...,
+	const
	struct sg_table *sgt, ...)
 { ... }
