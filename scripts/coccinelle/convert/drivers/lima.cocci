// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// Convert code for objects that only lima has.
// A heap grows while the GPU uses it. After the conversion, a heap has no memory of its own, but a
// list of parts, which are normal objects. So no table changes while the GPU's page table has its
// addresses.
virtual patch

@parts@
@@
 struct lima_bo {
 ...
 size_t heap_size;
+	/* of a heap: the objects that are its memory, under @lock; of a part: its node */
+	struct list_head parts;
 };

@prepared@
identifier o;
@@
 lima_gem_create_object(...)
 {
 <+...
 INIT_LIST_HEAD(&o->va);
+INIT_LIST_HEAD(&o->parts);
+/* Mali Utgard has 32 bits of address. */
+if (o->base.base.filp) {
+	struct address_space *mapping = o->base.base.filp->f_mapping;
+	gfp_t mask = mapping_gfp_mask(mapping) & ~__GFP_HIGHMEM;
+
+	mapping_set_gfp_mask(mapping, mask | __GFP_DMA32);
+}
 ...+>
 }

@freed@
identifier o, g;
iterator name list_for_each_entry_safe;
@@
 lima_gem_free_object(struct drm_gem_object *g)
 {
 struct lima_bo *o = to_lima_bo(g);
+struct lima_bo *part;
+struct lima_bo *next;
 ...
-drm_gem_shmem_free(&o->base);
+list_for_each_entry_safe(part, next, &o->parts, parts) {
+	list_del_init(&part->parts);
+	drm_gem_object_put(&part->base.base);
+}
 }

@grown@
@@
-int lima_heap_alloc(...) { ... }

@created@
identifier dev, file, size, flags, handle;
@@
 lima_gem_create_handle(struct drm_device *dev, struct drm_file *file, u32 size, u32 flags, u32 *handle)
 {
-...
+	const struct drm_shmem_opts opts = { .no_mmap = flags & LIMA_BO_FLAG_HEAP };
+	struct drm_gem_shmem_object *shmem;
+	struct lima_bo *bo;
+	int err;
+
+	shmem = drm_gem_shmem_create(dev, size, &opts);
+	if (IS_ERR(shmem))
+		return PTR_ERR(shmem);
+	bo = to_lima_bo(&shmem->base);
+
+	if (flags & LIMA_BO_FLAG_HEAP) {
+		err = lima_heap_alloc(bo, NULL);
+		if (err)
+			return err;
+	}
+
+	return drm_shmem_handle_create(&bo->obj, file, handle);
 }

@grow@
@@
+int lima_heap_alloc(struct lima_bo *bo, struct lima_vm *vm)
+{
+	const struct drm_shmem_opts opts = { .map_wc = true, .no_mmap = true };
+	size_t old_size = bo->heap_size;
+	size_t new_size = old_size ? old_size * 2 : lima_heap_init_nr_pages << PAGE_SHIFT;
+	struct lima_bo_unique *new;
+	struct lima_bo *part;
+	int err = 0;
+
+	if (old_size >= lima_bo_size(bo))
+		return -ENOSPC;
+	new_size = min(new_size, lima_bo_size(bo));
+
+	new = drm_shmem_create(&lima_bo_type, bo->base.base.dev, new_size - old_size, &opts);
+	if (IS_ERR(new))
+		return PTR_ERR(new);
+	part = drm_shmem_publish(&lima_bo_type, &new);
+
+	mutex_lock(&bo->lock);
+	list_add_tail(&part->parts, &bo->parts);
+	mutex_unlock(&bo->lock);
+	if (vm)
+		err = lima_vm_map_bo(vm, bo, old_size >> PAGE_SHIFT);
+	if (err) {
+		mutex_lock(&bo->lock);
+		list_del_init(&part->parts);
+		mutex_unlock(&bo->lock);
+		drm_gem_object_put(&part->base.base);
+		return err;
+	}
+	bo->heap_size = new_size;
+	return 0;
+}
+
 int lima_gem_create_handle(...) { ... }

// A heap is not exported, and has no offset.
@pin@
@@
-int lima_gem_pin(...) { ... }

@vmap@
@@
-int lima_gem_vmap(...) { ... }

@mmap@
@@
-int lima_gem_mmap(...) { ... }

@export@
@@
+static struct dma_buf *lima_gem_export(struct drm_gem_object *gem, int flags)
+{
+	struct lima_bo *bo = to_lima_bo(gem);
+
+	if (bo->heap_size)
+		return ERR_PTR(-EINVAL);
+	return drm_gem_prime_export(gem, flags);
+}
+
 void lima_gem_free_object(...) { ... }

@ops@
identifier t;
@@
 struct drm_gem_object_funcs t = {
 ...,
-.pin = lima_gem_pin,
+.export = lima_gem_export,
 ...,
-.vmap = lima_gem_vmap,
 ...,
-.mmap = lima_gem_mmap,
 ...
 };

// The page table
@part@
iterator name for_each_sgtable_dma_page, list_for_each_entry;
@@
+static int lima_vm_map_part(struct lima_vm *vm, struct lima_bo *bo, u32 addr)
+{
+	struct sg_dma_page_iter sg_iter;
+	int offset = 0;
+	int err;
+
+	drm_dev_ctx_live_or(live, to_drm_dev_ctx(bo->base.base.dev), DRM_SAFE_RETURN(-ENODEV));
+	drm_shmem_sgt_or(lent, &live->bound, &bo->obj, err, DRM_SAFE_RETURN(err));
+	for_each_sgtable_dma_page(drm_shmem_sgt_table(lent), &sg_iter, 0) {
+		err = lima_vm_map_page(vm, sg_page_iter_dma_address(&sg_iter), addr + offset);
+		if (err)
+			break;
+		offset += PAGE_SIZE;
+	}
+	if (err && offset)
+		lima_vm_unmap_range(vm, addr, addr + offset - 1);
+	return err;
+}
+
+/* All of an object, or what was added to a heap. */
+static int lima_vm_map_from(struct lima_vm *vm, struct lima_bo *bo, u32 addr, size_t from)
+{
+	size_t offset = 0;
+	size_t mapped = 0;
+	struct lima_bo *part;
+	int err;
+
+	if (list_empty(&bo->parts))
+		return lima_vm_map_part(vm, bo, addr);
+	list_for_each_entry(part, &bo->parts, parts) {
+		if (offset >= from) {
+			err = lima_vm_map_part(vm, part, addr + offset);
+			if (err)
+				goto err_unmap;
+			mapped += lima_bo_size(part);
+		}
+		offset += lima_bo_size(part);
+	}
+	return 0;
+
+err_unmap:
+	if (mapped)
+		lima_vm_unmap_range(vm, addr + from, addr + from + mapped - 1);
+	return err;
+}
+
 struct lima_bo_va *lima_vm_bo_find(...) { ... }

@added@
identifier it;
expression o;
iterator name for_each_sgtable_dma_page;
@@
-for_each_sgtable_dma_page(o->base.sgt, &it, 0) { ... }
+err = lima_vm_map_from(vm, o, bo_va->node.start, 0);
+if (err)
+	goto err_out2;

@mapped@
identifier it, from, base;
expression o;
iterator name for_each_sgtable_dma_page;
@@
-base = bo_va->node.start + (from << PAGE_SHIFT);
-for_each_sgtable_dma_page(o->base.sgt, &it, from) { ... }
+err = lima_vm_map_from(vm, o, bo_va->node.start, (size_t)from << PAGE_SHIFT);
+if (err)
+	goto err_out1;

@undone@
@@
-if (offset) lima_vm_unmap_range(vm, ...);

// The dump of a heap
@dumped@
iterator name list_for_each_entry;
@@
+static int lima_sched_copy_heap(void *to, struct lima_bo *bo)
+{
+	struct lima_bo *part;
+	int err = 0;
+
+	list_for_each_entry(part, &bo->parts, parts) {
+		struct lima_map_owned map = {};
+
+		err = drm_vmap_own(&map, &part->obj);
+		if (err)
+			break;
+		memcpy(to, drm_vmap_unsafe_map(&map).vaddr, lima_bo_size(part));
+		to += lima_bo_size(part);
+		drm_vmap_release(&map);
+	}
+	return err;
+}
+
 void lima_sched_build_error_task_list(...) { ... }

@copied@
identifier data;
expression o;
@@
-data = vmap(o->base.pages, ...);
-if (!data)
+ret = lima_sched_copy_heap(buffer_chunk + 1, o);
+if (ret)
 { ... }
-memcpy(...);
-vunmap(data);
