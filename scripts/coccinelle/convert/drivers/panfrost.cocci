// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// Convert code for objects that only panfrost has.
// A heap gets its memory in faults of the GPU. After the conversion, each part of a heap is an
// object.
// The library's shrinker purges objects, so each GPU mapping owns the table of its object.
virtual patch

// Heaps
@heap@
@@
 struct panfrost_gem_object {
 ...
-struct sg_table *sgts;
+/* of a heap: its memory, an object for each 2 MiB that the GPU has asked for */
+struct panfrost_heap_part *parts;
 ...
 };

@mapping@
@@
 struct panfrost_gem_mapping {
 ...
 struct panfrost_mmu *mmu;
+/* of @obj, or of the memory of a heap: nothing */
+struct drm_shmem_sgt_owned sgt;
 ...
 };

@part@
@@
+struct panfrost_heap_part {
+	struct panfrost_gem_object *bo;
+	struct drm_shmem_sgt_owned sgt;
+};
+
 struct panfrost_gem_mapping { ... };

@freed@
identifier o, dev;
@@
 panfrost_gem_free_object(...)
 {
 <...
-mutex_lock(&dev->shrinker_lock);
-list_del_init(&o->base.madv_list);
-mutex_unlock(&dev->shrinker_lock);
 ...>
 }

@parts@
expression o;
@@
-if (o->sgts) { ... }
+if (o->parts) {
+	size_t n = o->base.base.size / SZ_2M;
+
+	while (n--) {
+		struct panfrost_gem_object *memory = o->parts[n].bo;
+
+		drm_shmem_sgt_cleanup(&o->parts[n].sgt);
+		if (memory)
+			drm_gem_object_put(&memory->base.base);
+	}
+	kvfree(o->parts);
+}

@fault@
@@
-int panfrost_mmu_map_fault_addr(...) { ... }

@fault_too@
iterator name drm_shmem_sgt_guard_owned;
@@
+static int panfrost_heap_fault(struct panfrost_device *pfdev, struct panfrost_gem_mapping *mapping, u64 addr)
+{
+	struct panfrost_gem_object *bo = mapping->obj;
+	size_t nr = ((addr >> PAGE_SHIFT) - mapping->mmnode.start) / (SZ_2M >> PAGE_SHIFT);
+	struct panfrost_heap_part *part;
+	int ret = 0;
+
+	if (!bo->parts)
+		bo->parts = kvzalloc_objs(*bo->parts, bo->base.base.size / SZ_2M);
+	if (!bo->parts)
+		return -ENOMEM;
+	part = &bo->parts[nr];
+	if (!drm_shmem_sgt_is_empty(&part->sgt))
+		return 0;
+	if (!part->bo) {
+		struct panfrost_gem_object *new;
+
+		new = panfrost_gem_create(&pfdev->base, SZ_2M, PANFROST_BO_NOEXEC);
+		if (IS_ERR(new))
+			return PTR_ERR(new);
+		part->bo = new;
+	}
+
+	drm_dev_ctx_live_or(live, to_drm_dev_ctx(&pfdev->base), DRM_SAFE_RETURN(-ENODEV));
+	ret = drm_shmem_sgt_own(&part->sgt, &live->bound, &part->bo->obj);
+	if (ret)
+		return ret;
+	drm_shmem_sgt_guard_owned(lent, &live->bound, &part->sgt, ret)
+		ret = mmu_map_sg(pfdev, mapping->mmu, addr,
+				 IOMMU_WRITE | IOMMU_READ | IOMMU_CACHE | IOMMU_NOEXEC,
+				 drm_shmem_sgt_table(lent));
+	if (ret) {
+		drm_shmem_sgt_release(&part->sgt);
+		return ret;
+	}
+	mapping->active = true;
+	WRITE_ONCE(bo->heap_rss_size, bo->heap_rss_size + SZ_2M);
+	return 0;
+}
+
+static int panfrost_mmu_map_fault_addr(struct panfrost_device *pfdev, int as, u64 addr)
+{
+	struct panfrost_gem_mapping *mapping = addr_to_mapping(pfdev, as, addr);
+	int ret = -EINVAL;
+
+	if (!mapping)
+		return -ENOENT;
+	WARN_ON(mapping->mmu->as != as);
+	if (!WARN_ON(!mapping->obj->is_heap)) {
+		mutex_lock(&mapping->obj->mappings.lock);
+		ret = panfrost_heap_fault(pfdev, mapping, addr & ~((u64)SZ_2M - 1));
+		mutex_unlock(&mapping->obj->mappings.lock);
+	}
+	panfrost_gem_mapping_put(mapping);
+	return ret;
+}
+
 void panfrost_mmu_release_ctx(...) { ... }

// The page table of the GPU keeps the addresses.
@own@
identifier m, o, shmem, dev, sgt, prot, ret, L;
expression A, B;
iterator name drm_shmem_sgt_guard_owned;
@@
 panfrost_mmu_map(struct panfrost_gem_mapping *m)
 {
 struct panfrost_gem_object *o = m->obj;
 ...
-struct sg_table *sgt;
 ...
-sgt = drm_gem_shmem_get_pages_sgt(shmem);
-if (WARN_ON(IS_ERR(sgt))) return PTR_ERR(sgt);
-ret = mmu_map_sg(dev, A, B, prot, sgt);
+drm_dev_ctx_live_or(live, to_drm_dev_ctx(&dev->base), DRM_SAFE_RETURN(-ENODEV));
+ret = drm_shmem_sgt_own(&m->sgt, &live->bound, &o->obj);
+if (ret)
+	return ret;
+drm_shmem_sgt_guard_owned(lent, &live->bound, &m->sgt, ret)
+	ret = mmu_map_sg(dev, A, B, prot, drm_shmem_sgt_table(lent));
 if (ret) goto L;
 ...
 }

@put@
expression s;
@@
-drm_gem_shmem_put_pages_locked(s);
+drm_shmem_sgt_release(&mapping->sgt);

@released@
identifier m;
@@
 panfrost_gem_teardown_mapping(m);
+drm_shmem_sgt_cleanup(&m->sgt);
 drm_gem_object_put(&m->obj->base.base);

// A heap has no offset and no dma-buf, so the driver does not have to refuse these.
@pin@
@@
-int panfrost_gem_pin(...) { ... }

@resident@
expression o;
@@
-panfrost_gem_rss(&o->base.base)
+(o->is_heap ? o->heap_rss_size : o->base.pages ? o->base.base.size : 0)

@rss@
identifier o, g;
@@
 panfrost_gem_rss(struct drm_gem_object *g)
 {
 struct panfrost_gem_object *o = to_panfrost_bo(g);
-...
+return READ_ONCE(o->heap_rss_size);
 }

@status@
@@
-enum drm_gem_object_status panfrost_gem_status(...) { ... }

// The library syncs the tables of importers.
@map_buf@
@@
-struct sg_table *panfrost_gem_prime_map_dma_buf(...) { ... }

@unmap_buf@
@@
-void panfrost_gem_prime_unmap_dma_buf(...) { ... }

@begin_access@
@@
-int panfrost_gem_prime_begin_cpu_access(...) { ... }

@end_access@
@@
-int panfrost_gem_prime_end_cpu_access(...) { ... }

@dma_ops@
@@
-struct dma_buf_ops panfrost_dma_buf_ops = { ... };

@export@
@@
-struct dma_buf *panfrost_gem_prime_export(...) { ... }

@export_too@
iterator name list_for_each_entry;
@@
+static struct dma_buf *panfrost_gem_prime_export(struct drm_gem_object *obj, int flags)
+{
+	struct panfrost_gem_object *bo = to_panfrost_bo(obj);
+
+	if (bo->is_heap)
+		return ERR_PTR(-EINVAL);
+	return drm_gem_prime_export(obj, flags);
+}
+
+/* Memory is purged while no job uses it, and nothing else is evicted. */
+static int panfrost_gem_evict(struct drm_gem_object *obj)
+{
+	struct panfrost_gem_object *bo = to_panfrost_bo(obj);
+	struct panfrost_gem_mapping *mapping;
+
+	if (bo->base.madv != PANFROST_MADV_DONTNEED || atomic_read(&bo->gpu_usecount))
+		return -EBUSY;
+	if (!mutex_trylock(&bo->mappings.lock))
+		return -EBUSY;
+	panfrost_gem_teardown_mappings_locked(bo);
+	list_for_each_entry(mapping, &bo->mappings.list, node)
+		drm_shmem_sgt_suspend(&mapping->sgt);
+	mutex_unlock(&bo->mappings.lock);
+	return 0;
+}
+
 struct drm_gem_object *panfrost_gem_prime_import(...) { ... }

@import@
identifier dev, buf;
@@
 panfrost_gem_prime_import(struct drm_device *dev, struct dma_buf *buf)
 {
-struct drm_gem_object *obj = buf->priv;
-if (...) { ... }
-return drm_gem_prime_import(dev, buf);
+return drm_shmem_prime_import_no_map(dev, buf);
 }

@import_sgt@
@@
-struct drm_gem_object *panfrost_gem_prime_import_sg_table(...) { ... }

@driver@
identifier d;
@@
 struct drm_driver d = {
 ...,
-.gem_prime_import_sg_table = panfrost_gem_prime_import_sg_table,
 ...
 };

@imported@
identifier o, pf;
@@
 panfrost_gem_debugfs_bo_add(pf, o);
+if (drm_gem_is_imported(&o->base.base)) {
+	o->noexec = true;
+	o->label.str = "GEM PRIME buffer";
+}

@ops@
identifier t;
@@
 struct drm_gem_object_funcs t = {
+.flags = DRM_SHMEM_RECLAIM,
+.evict = panfrost_gem_evict,
 ...,
-.pin = panfrost_gem_pin,
+.pin = drm_gem_shmem_object_pin,
 ...,
-.status = panfrost_gem_status,
 ...
 };

// The shrinker
@shrinker@
@@
 struct panfrost_device {
 ...
-struct mutex shrinker_lock;
-struct list_head shrinker_list;
-struct shrinker *shrinker;
+struct drm_shmem_shrinker shrinker;
 ...
 };

@count@
@@
-unsigned long panfrost_gem_shrinker_count(...) { ... }

@purge@
type T;
@@
-T panfrost_gem_purge(...) { ... }

@scan@
@@
-unsigned long panfrost_gem_shrinker_scan(...) { ... }

@init@
identifier dev, pf;
@@
 panfrost_gem_shrinker_init(struct drm_device *dev)
 {
 struct panfrost_device *pf = ...;
-...
+return drmm_shmem_shrinker_init(dev, &pf->shrinker);
 }

@cleanup@
@@
-void panfrost_gem_shrinker_cleanup(...) { ... }

@cleanups@
@@
-panfrost_gem_shrinker_cleanup(...);

@lists@
expression e;
@@
(
-mutex_init(&e->shrinker_lock);
|
-INIT_LIST_HEAD(&e->shrinker_list);
)

// The madvise ioctl does not take the lock of the object.
@advised@
expression o;
@@
+enum drm_shmem_madv madv = DRM_SHMEM_WILLNEED;
 int ret = 0;
 ...
-ret = dma_resv_lock_interruptible(o->base.base.resv, NULL);
-if (ret) goto out_put_object;
-mutex_lock(&pfdev->shrinker_lock);
 mutex_lock(&o->mappings.lock);

@advice@
expression o;
@@
+if (args->madv == PANFROST_MADV_DONTNEED)
+	madv = DRM_SHMEM_DONTNEED;
-args->retained = drm_gem_shmem_madvise_locked(&o->base, args->madv);
-if (args->retained) { ... }
+ret = drm_shmem_madvise_interruptible(&o->obj, madv, &pfdev->shrinker);
+/* The memory of an import is its exporter's. */
+if (ret == -EOPNOTSUPP)
+	ret = 1;
+if (ret >= 0) {
+	args->retained = ret;
+	ret = 0;
+}

@unadvised@
expression o;
@@
 mutex_unlock(&o->mappings.lock);
-mutex_unlock(&pfdev->shrinker_lock);
-dma_resv_unlock(o->base.base.resv);

// Performance counters
@counters@
@@
 struct panfrost_perfcnt {
 ...
 struct panfrost_gem_mapping *mapping;
+struct panfrost_map_owned map;
 ...
 };

@counted@
@@
 panfrost_perfcnt_enable_locked(...)
 {
 ...
-struct iosys_map map;
-struct drm_gem_shmem_object *bo;
+struct panfrost_gem_object *bo;
 ...
 }

@counter@
expression s;
@@
-bo = drm_gem_shmem_create(&pfdev->base, s);
+bo = panfrost_gem_create(&pfdev->base, s, 0);

@counter_cast@
@@
-to_panfrost_bo(&bo->base)
+bo

@counter_map@
@@
-ret = drm_gem_vmap(&bo->base, &map);
+ret = drm_vmap_own(&perfcnt->map, &bo->obj);

@counter_address@
@@
-perfcnt->buf = map.vaddr;
+perfcnt->buf = drm_vmap_unsafe_map(&perfcnt->map).vaddr;

@counter_end@
@@
(
-drm_gem_vunmap(&bo->base, &map);
+drm_vmap_release(&perfcnt->map);
|
-drm_gem_vunmap(&perfcnt->mapping->obj->base.base, &map);
+drm_vmap_release(&perfcnt->map);
)

@counter_gem depends on counter@
@@
 panfrost_perfcnt_enable_locked(...)
 {
 <...
-&bo->base
+&bo->base.base
 ...>
 }

@counter_stop@
@@
-struct iosys_map map = IOSYS_MAP_INIT_VADDR(perfcnt->buf);

// The dump
@dumped@
expression o;
@@
-!o->base.sgt
+!drm_shmem_has_sgt(&o->obj)

@pages@
expression o, it;
statement S;
iterator name for_each_sgtable_page, drm_dev_ctx_guard_live, drm_shmem_sgt_guard_owned;
@@
-for_each_sgtable_page(o->base.sgt, it, 0) S
+drm_dev_ctx_guard_live(live, to_drm_dev_ctx(&pfdev->base)) {
+	drm_shmem_sgt_guard_owned(lent, &live->bound, &mapping->sgt, ret) {
+		for_each_sgtable_page(drm_shmem_sgt_table(lent), it, 0)
+			S
+	}
+}
