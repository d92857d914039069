// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// Convert code for objects that only amdxdna has.
// Objects without pages of their own become objects of the type, whose shmem file stays empty. The
// driver keeps the kernel address and the pin of an object while handles and jobs use it. It must
// not keep them until the object ends, because they would keep the object.
virtual patch

@objects@
@@
 #include <linux/iosys-map.h>

@included depends on objects@
@@
 #include <linux/pagemap.h>
+#include <linux/task_work.h>

// The library imports the dma-buf, and recognises its own exports.
@memory@
@@
 struct amdxdna_gem_obj {
 ...
-struct dma_buf *dma_buf;
-struct dma_buf_attachment *attach;
 ...
-bool internal;
-bool private_buffer;
+bool internal;
+
+	/* Handles and jobs, for which the address and the pin are kept */
+	unsigned int uses;
+	struct amdxdna_map_owned map;
 };

@no_macro@
identifier o;
@@
-#define is_import_bo(o) ((o)->attach)

@imported@
struct amdxdna_gem_obj *E;
@@
-is_import_bo(E)
+drm_gem_is_imported(&E->base.base)

@importer@
@@
-struct drm_gem_object *amdxdna_gem_prime_import(...) { ... }

@importer_declared@
@@
-struct drm_gem_object *amdxdna_gem_prime_import(struct drm_device *dev, struct dma_buf *dma_buf);

@import_ended@
@@
-static void amdxdna_imported_obj_free(...) { ... }

@driver@
identifier t;
@@
 struct drm_driver t = {
-	.gem_prime_import = amdxdna_gem_prime_import,
+	.gem_prime_import = drm_shmem_prime_import,
+	.gem_prime_import_sg_table = drm_shmem_prime_import_sg_table,
 };

// Set the kind of an object after its import in the driver itself.
@from_user@
identifier fn = {amdxdna_gem_create_ubuf_object, amdxdna_gem_create_cbuf_object};
expression d, b;
@@
 fn(...)
 {
 <...
-amdxdna_gem_prime_import(d, b)
+drm_shmem_prime_import(d, b)
 ...>
 }

@not_own@
identifier abo, gobj;
@@
 amdxdna_gem_create_ubuf_object(...)
 {
 ...
-abo = to_xdna_obj(gobj);
-abo->private_buffer = true;
+/* The client may have named an export of this driver, which has a kind already. */
+if (!drm_gem_is_imported(gobj)) {
+	drm_gem_object_put(gobj);
+	return ERR_PTR(-EINVAL);
+}
+abo = to_xdna_obj(gobj);
 ...
 }

// The core exports an import without asking the driver, so pages of a client are for this device alone.
@pages_of@
@@
 struct amdxdna_ubuf_priv {
+	struct device *dev;
 ...
 };

@pages_made@
identifier u, d;
@@
 amdxdna_get_ubuf(struct drm_device *d, ...)
 {
 ...
 u->mm = current->mm;
+u->dev = d->dev;
 ...
 }

@alone@
@@
+static int amdxdna_ubuf_attach(struct dma_buf *dbuf, struct dma_buf_attachment *attach)
+{
+	struct amdxdna_ubuf_priv *ubuf = dbuf->priv;
+
+	return attach->dev == ubuf->dev ? 0 : -EOPNOTSUPP;
+}
+
 static struct sg_table *amdxdna_ubuf_map(...) { ... }

@alone_step@
identifier t;
@@
 struct dma_buf_ops t = {
+	.attach = amdxdna_ubuf_attach,
 	.map_dma_buf = amdxdna_ubuf_map,
 };

// No other task can use a dma-buf that was just allocated, so its lock is not needed.
@cleared@
expression b, m;
@@
 amdxdna_cbuf_clear(...)
 {
 <...
(
-dma_buf_vmap(b, m)
+amdxdna_cbuf_vmap(b, m)
|
-dma_buf_vunmap(b, m)
+amdxdna_cbuf_vunmap(b, m)
)
 ...>
 }

// The library exports objects.
@exported@
identifier t = amdxdna_dmabuf_ops;
@@
-static const struct dma_buf_ops t = { ... };

@exported_mmap@
@@
-static int amdxdna_gem_dmabuf_mmap(...) { ... }

@export@
@@
-static struct dma_buf *amdxdna_gem_prime_export(...) { ... }

// The library maps objects. The driver's own file operation registers the notifiers, also for an
// import.
@pages@
@@
-static int amdxdna_insert_pages(...) { ... }

@invalid@
@@
-static void amdxdna_mark_mapp_invalid(...) { ... }

@told@
identifier f = {amdxdna_hmm_register, amdxdna_hmm_unregister}, abo, vma;
@@
 f(struct amdxdna_gem_obj *abo,
-	struct vm_area_struct *vma
+	const struct vm_area_struct *vma
 ) { ... }

@umap@
@@
 struct amdxdna_umap {
 ...
 struct work_struct hmm_unreg_work;
+struct callback_head populate;
 ...
-bool unmapped;
+bool unmapped;
+bool populating;
 };

@mmap@
@@
-static int amdxdna_gem_obj_mmap(...) { ... }

@maps@
iterator name list_for_each_entry;
@@
+/* Fault in the pages before the mapping thread returns: no VMA is in the tree while it is made. */
+static void amdxdna_umap_populate(struct callback_head *head)
+{
+	struct amdxdna_umap *mapp = container_of(head, struct amdxdna_umap, populate);
+	struct amdxdna_gem_obj *abo = mapp->abo;
+	struct amdxdna_dev *xdna = to_xdna_dev(abo->base.base.dev);
+	unsigned long addr = mapp->range.start;
+	int ret = -ESRCH;
+
+	if (current->mm == mapp->notifier.mm) {
+		mmap_read_lock(current->mm);
+		ret = 0;
+		while (!ret && addr < mapp->range.end) {
+			ret = fixup_user_fault(current->mm, addr, FAULT_FLAG_WRITE, NULL);
+			addr += PAGE_SIZE;
+		}
+		mmap_read_unlock(current->mm);
+	}
+
+	down_write(&xdna->notifier_lock);
+	if (ret) {
+		XDNA_DBG(xdna, "Fault in page failed, ret %d", ret);
+		abo->mem.map_invalid = true;
+		mapp->invalid = true;
+	}
+	mapp->populating = false;
+	up_write(&xdna->notifier_lock);
+
+	amdxdna_umap_put(mapp);
+	drm_gem_object_put(&abo->base.base);
+}
+
+static void amdxdna_hmm_populate(struct amdxdna_gem_obj *abo, const struct vm_area_struct *vma)
+{
+	struct amdxdna_dev *xdna = to_xdna_dev(abo->base.base.dev);
+	struct amdxdna_umap *found = NULL;
+	struct amdxdna_umap *mapp;
+
+	down_write(&xdna->notifier_lock);
+	list_for_each_entry(mapp, &abo->mem.umap_list, node) {
+		if (compare_range(mapp, vma->vm_mm, vma->vm_start, vma->vm_end)) {
+			if (!mapp->populating && kref_get_unless_zero(&mapp->refcnt))
+				found = mapp;
+			break;
+		}
+	}
+	if (found)
+		found->populating = true;
+	up_write(&xdna->notifier_lock);
+	if (!found)
+		return;
+
+	drm_gem_object_get(&abo->base.base);
+	init_task_work(&found->populate, amdxdna_umap_populate);
+	if (task_work_add(current, &found->populate, TWA_RESUME)) {
+		amdxdna_umap_put(found);
+		drm_gem_object_put(&abo->base.base);
+	}
+}
+
+/* The object that a client may map at an offset, with a reference */
+static struct amdxdna_gem_obj *amdxdna_gem_at(struct drm_file *filp, unsigned long start,
+					      unsigned long pages)
+{
+	struct drm_vma_offset_manager *mgr = filp->minor->dev->vma_offset_manager;
+	struct drm_gem_object *gobj = NULL;
+	struct drm_vma_offset_node *node;
+
+	drm_vma_offset_lock_lookup(mgr);
+	node = drm_vma_offset_exact_lookup_locked(mgr, start, pages);
+	if (node && drm_vma_node_is_allowed(node, filp)) {
+		gobj = container_of(node, struct drm_gem_object, vma_node);
+		if (!kref_get_unless_zero(&gobj->refcount))
+			gobj = NULL;
+	}
+	drm_vma_offset_unlock_lookup(mgr);
+
+	return gobj ? to_xdna_obj(gobj) : NULL;
+}
+
+int amdxdna_gem_mmap(struct file *filp, struct vm_area_struct *vma)
+{
+	struct amdxdna_gem_obj *abo = amdxdna_gem_at(filp->private_data, vma->vm_pgoff,
+						     vma_pages(vma));
+	int ret;
+
+	if (!abo)
+		return drm_gem_mmap(filp, vma);
+
+	ret = amdxdna_hmm_register(abo, vma);
+	if (!ret) {
+		ret = drm_gem_mmap(filp, vma);
+		if (ret)
+			amdxdna_hmm_unregister(abo, vma);
+		else
+			amdxdna_hmm_populate(abo, vma);
+	}
+	drm_gem_object_put(&abo->base.base);
+	return ret;
+}
+
+static struct dma_buf *amdxdna_gem_prime_export(struct drm_gem_object *gobj, int flags)
+{
+	if (to_xdna_obj(gobj)->type == AMDXDNA_BO_DEV)
+		return ERR_PTR(-EOPNOTSUPP);
+	return drm_gem_prime_export(gobj, flags);
+}
+
 static inline bool amdxdna_gem_skip_bo_usage(...) { ... }

@mmap_op@
expression filp, vma;
@@
 amdxdna_drm_gem_mmap(...)
 {
 <...
-drm_gem_mmap(filp, vma)
+amdxdna_gem_mmap(filp, vma)
 ...>
 }

// An object without pages of its own is a part of the heap. It has an address if it is in one heap.
@dev_table@
identifier t = amdxdna_gem_dev_obj_funcs;
@@
-static const struct drm_gem_object_funcs t = { ... };

@dev_free@
@@
-static void amdxdna_gem_dev_obj_free(...) { ... }

@dev_export@
@@
-static struct dma_buf *amdxdna_gem_dev_obj_export(...) { ... }

@dev_vmap@
@@
-static int amdxdna_gem_dev_obj_vmap(...) { ... }

@obj_vmap@
@@
-static int amdxdna_gem_obj_vmap(...) { ... }

@obj_vunmap@
@@
-static void amdxdna_gem_obj_vunmap(...) { ... }

@steps@
identifier t;
@@
 struct drm_gem_object_funcs t = {
+	.sgt_revoked = amdxdna_gem_obj_revoked,
 	.free = amdxdna_gem_obj_free,
-	.vmap = amdxdna_gem_obj_vmap,
-	.vunmap = amdxdna_gem_obj_vunmap,
-	.mmap = amdxdna_gem_obj_mmap,
 };

@begun@
@@
-static struct amdxdna_gem_obj *amdxdna_gem_create_obj(...) { ... }

@undone@
@@
-static void amdxdna_gem_destroy_obj(...) { ... }

@allocated@
identifier dev, size;
@@
 amdxdna_gem_create_shmem_object_cb(struct drm_device *dev, size_t size)
 {
-...
+	struct amdxdna_gem_obj *abo;
+
+	abo = kzalloc_obj(*abo);
+	if (!abo)
+		return ERR_PTR(-ENOMEM);
+	abo->type = AMDXDNA_BO_SHARE;
+	abo->assigned_hwctx = AMDXDNA_INVALID_CTX_HANDLE;
+	mutex_init(&abo->lock);
+	abo->mem.dma_addr = AMDXDNA_INVALID_ADDR;
+	abo->mem.uva = AMDXDNA_INVALID_ADDR;
+	abo->mem.size = abo->base.base.size;
+	INIT_LIST_HEAD(&abo->mem.umap_list);
+	abo->base.base.funcs = &amdxdna_gem_shmem_funcs;
+	return &abo->base.base;
 }

@created@
identifier dev, args;
@@
 amdxdna_gem_create_shmem_object(struct drm_device *dev, struct amdxdna_drm_create_bo *args)
 {
-...
+	struct drm_gem_shmem_object *shmem;
+	struct amdxdna_gem_obj *abo;
+
+	shmem = drm_gem_shmem_create(dev, args->size);
+	if (IS_ERR(shmem))
+		return ERR_CAST(shmem);
+	abo = to_xdna_obj(&shmem->base);
+	return abo;
 }

// The object has this kind once it has its part of the heap. Its end gives the part back.
@dev_created@
identifier abo, gobj, dev, size;
@@
 amdxdna_drm_create_dev_bo(struct drm_device *dev, ...)
 {
 ...
 struct amdxdna_gem_obj *abo;
-struct drm_gem_object *gobj;
+struct drm_gem_shmem_object *shmem;
 ...
-abo = amdxdna_gem_create_obj(dev, size);
-if (IS_ERR(abo))
-	return abo;
-gobj = &abo->base.base;
-gobj->funcs = &amdxdna_gem_dev_obj_funcs;
-abo->type = AMDXDNA_BO_DEV;
+shmem = drm_gem_shmem_create(dev, size);
+if (IS_ERR(shmem))
+	return ERR_CAST(shmem);
+abo = to_xdna_obj(&shmem->base);
 ...
-if (...) { ... }
-drm_gem_private_object_init(dev, gobj, size);
+if (ret)
+	return ERR_PTR(ret);
+abo->type = AMDXDNA_BO_DEV;
 return abo;
 }

@opened@
@@
-static int amdxdna_gem_obj_open(...) { ... }

@closed@
@@
-static void amdxdna_gem_obj_close(...) { ... }

@ended@
identifier gobj;
@@
+/* The device has stopped, and uses no address any more. */
+static void amdxdna_gem_obj_revoked(struct drm_gem_object *gobj)
+{
+	struct amdxdna_gem_obj *abo = to_xdna_obj(gobj);
+
+	amdxdna_dma_unmap_bo(to_xdna_dev(gobj->dev), abo);
+}
+
+static int amdxdna_gem_obj_open(struct drm_gem_object *gobj, struct drm_file *filp)
+{
+	struct amdxdna_dev *xdna = to_xdna_dev(gobj->dev);
+	struct amdxdna_gem_obj *abo = to_xdna_obj(gobj);
+	int ret = 0;
+
+	amdxdna_gem_use(abo);
+	if (abo->type == AMDXDNA_BO_DEV)
+		return 0;
+
+	mutex_lock(&abo->lock);
+	if (!abo->open_ref) {
+		/* Attached to the client when first opened by it. */
+		abo->client = filp->driver_priv;
+		/* No need to set up dma addr mapping in PASID mode, nor again. */
+		if (!amdxdna_pasid_on(abo->client) && abo->mem.dma_addr == AMDXDNA_INVALID_ADDR)
+			ret = amdxdna_dma_map_bo(xdna, abo);
+		if (ret)
+			abo->client = NULL;
+		else
+			amdxdna_gem_add_bo_usage(abo);
+	}
+	if (!ret)
+		abo->open_ref++;
+	mutex_unlock(&abo->lock);
+	if (ret)
+		amdxdna_gem_unuse(abo);
+	return ret;
+}
+
+static void amdxdna_gem_obj_close(struct drm_gem_object *gobj, struct drm_file *filp)
+{
+	struct amdxdna_gem_obj *abo = to_xdna_obj(gobj);
+
+	if (abo->type != AMDXDNA_BO_DEV) {
+		guard(mutex)(&abo->lock);
+		abo->open_ref--;
+		if (abo->open_ref == 0) {
+			amdxdna_gem_del_bo_usage(abo);
+			/* Detach from the client when last closed by it. */
+			abo->client = NULL;
+		}
+	}
+	amdxdna_gem_unuse(abo);
+}
+
 static void amdxdna_gem_obj_free(struct drm_gem_object *gobj)
 {
-...
+	struct amdxdna_dev *xdna = to_xdna_dev(gobj->dev);
+	struct amdxdna_gem_obj *abo = to_xdna_obj(gobj);
+
+	amdxdna_hmm_unregister(abo, NULL);
+	flush_workqueue(xdna->notifier_wq);
+
+	amdxdna_dma_unmap_bo(xdna, abo);
+	if (abo->type == AMDXDNA_BO_DEV)
+		amdxdna_gem_heap_free(abo);
+	mutex_destroy(&abo->lock);
+	drm_gem_shmem_free(&abo->base);
 }

// Count the uses of an object.
@put@
identifier abo;
@@
 amdxdna_gem_put_obj(struct amdxdna_gem_obj *abo)
 {
+amdxdna_gem_unuse(abo);
 ...
 }

@declared@
@@
+void amdxdna_gem_use(struct amdxdna_gem_obj *abo);
+void amdxdna_gem_unuse(struct amdxdna_gem_obj *abo);
+int amdxdna_gem_mmap(struct file *filp, struct vm_area_struct *vma);
+
 static inline void amdxdna_gem_put_obj(...) { ... }

@got@
identifier abo;
expression E;
@@
 amdxdna_gem_get_obj(...)
 {
 <...
-if (E)
-	return abo;
+if (E) {
+	amdxdna_gem_use(abo);
+	return abo;
+}
 ...>
 }

@argument@
identifier f = {amdxdna_arg_bos_lookup, amdxdna_drm_sync_bo_ioctl}, gobj;
@@
 f(...)
 {
 <...
(
 abo = to_xdna_obj(gobj);
+amdxdna_gem_use(abo);
|
-drm_gem_object_put(gobj);
+amdxdna_gem_put_obj(abo);
)
 ...>
 }

@arguments@
expression E;
@@
 amdxdna_arg_bos_put(...)
 {
 <...
-drm_gem_object_put(E);
+amdxdna_gem_put_obj(to_xdna_obj(E));
 ...>
 }

@queue@
identifier abo;
@@
 aie2_hwctx_init(...)
 {
 <...
 abo = amdxdna_drm_create_dev_bo(...);
 if (IS_ERR(abo)) { ... }
+amdxdna_gem_use(abo);
 ...>
 }

@queue_ends@
identifier f = {aie2_hwctx_init, aie2_hwctx_fini};
expression E, i;
@@
 f(...)
 {
 <...
-drm_gem_object_put(&E->cmd_buf[i]->base.base);
+amdxdna_gem_put_obj(E->cmd_buf[i]);
 ...>
 }

// The address and the pin last as long as the uses.
@pin@
struct amdxdna_gem_obj *E;
@@
(
-drm_gem_shmem_pin(&E->base)
+drm_shmem_pin(&E->obj)
|
-drm_gem_shmem_unpin(&E->base)
+drm_shmem_unpin(&E->obj)
)

@unpin@
identifier abo;
@@
 void amdxdna_gem_unpin(struct amdxdna_gem_obj *abo)
 {
-...
+	mutex_lock(&abo->lock);
+	amdxdna_gem_unpin_nolock(abo);
+	mutex_unlock(&abo->lock);
 }

@unpin_nolock@
iterator name xa_for_each_range;
@@
+static void amdxdna_gem_unpin_nolock(struct amdxdna_gem_obj *abo)
+{
+	struct amdxdna_gem_obj *heap;
+	unsigned long heap_id;
+
+	if (abo->type != AMDXDNA_BO_DEV) {
+		amdxdna_bo_unpin(abo);
+		return;
+	}
+	xa_for_each_range(&abo->client->dev_heap_xa, heap_id, heap,
+			  abo->heap_start_id, abo->heap_end_id)
+		amdxdna_bo_unpin(heap);
+}
+
+/* The part of a heap is used as long as the heap is. */
+void amdxdna_gem_use(struct amdxdna_gem_obj *abo)
+{
+	struct amdxdna_gem_obj *heap;
+	unsigned long heap_id;
+
+	mutex_lock_nested(&abo->lock, abo->type == AMDXDNA_BO_DEV ? 0 : SINGLE_DEPTH_NESTING);
+	if (!abo->uses++ && abo->type == AMDXDNA_BO_DEV)
+		xa_for_each_range(&abo->client->dev_heap_xa, heap_id, heap,
+				  abo->heap_start_id, abo->heap_end_id)
+			amdxdna_gem_use(heap);
+	mutex_unlock(&abo->lock);
+}
+
+void amdxdna_gem_unuse(struct amdxdna_gem_obj *abo)
+{
+	struct amdxdna_gem_obj *heap;
+	unsigned long heap_id;
+
+	mutex_lock_nested(&abo->lock, abo->type == AMDXDNA_BO_DEV ? 0 : SINGLE_DEPTH_NESTING);
+	if (!--abo->uses) {
+		if (abo->pinned)
+			amdxdna_gem_unpin_nolock(abo);
+		abo->pinned = false;
+		abo->mem.kva = NULL;
+		drm_vmap_release(&abo->map);
+		if (abo->type == AMDXDNA_BO_DEV)
+			xa_for_each_range(&abo->client->dev_heap_xa, heap_id, heap,
+					  abo->heap_start_id, abo->heap_end_id)
+				amdxdna_gem_unuse(heap);
+	}
+	mutex_unlock(&abo->lock);
+}
+
 int amdxdna_gem_pin(struct amdxdna_gem_obj *abo) { ... }

@vmap@
identifier abo;
@@
+/* A part of the heap has an address if one heap has all of it. */
+static void *amdxdna_gem_dev_kva(struct amdxdna_gem_obj *abo)
+{
+	struct amdxdna_gem_obj *heap;
+	void *base;
+
+	if (abo->heap_start_id != abo->heap_end_id)
+		return NULL;
+	heap = xa_load(&abo->client->dev_heap_xa, abo->heap_start_id);
+	base = heap ? amdxdna_gem_vmap(heap) : NULL;
+	return base ? base + (amdxdna_gem_dev_addr(abo) - amdxdna_gem_dev_addr(heap)) : NULL;
+}
+
 void *amdxdna_gem_vmap(struct amdxdna_gem_obj *abo)
 {
-...
+	struct amdxdna_dev *xdna = to_xdna_dev(abo->base.base.dev);
+	int ret;
+
+	if (abo->type == AMDXDNA_BO_DEV)
+		return amdxdna_gem_dev_kva(abo);
+
+	if (abo->mem.kva)
+		return abo->mem.kva;
+
+	/* The first call to get the kva, taking slow path. */
+	guard(mutex)(&abo->lock);
+
+	if (!abo->mem.kva && !drm_WARN_ON(&xdna->ddev, !abo->uses)) {
+		ret = drm_vmap_own(&abo->map, &abo->obj);
+		if (ret)
+			XDNA_ERR(xdna, "Vmap bo failed, ret %d", ret);
+		else
+			abo->mem.kva = drm_vmap_unsafe_map(&abo->map).vaddr;
+	}
+	return abo->mem.kva;
 }

@vunmap@
@@
-static void amdxdna_gem_vunmap(...) { ... }

// An object of this driver that is in use has an address, unless mapping it failed for lack of
// memory.
@flush@
identifier abo;
statement S1, S2, S3;
@@
 amdxdna_flush_bo(struct amdxdna_gem_obj *abo, ...)
 {
 ...
 if (...) S1
-else if (abo->base.pages) S2
 else S3
 ...
 }

// The device keeps addresses of the table until it is revoked.
@contiguous@
iterator name for_each_sgtable_dma_sg;
@@
+/* The table is lent, and so is const. */
+static size_t amdxdna_contiguous_size(struct sg_table *sgt)
+{
+	dma_addr_t expected = sg_dma_address(sgt->sgl);
+	struct scatterlist *sg;
+	size_t size = 0;
+	int i;
+
+	for_each_sgtable_dma_sg(sgt, sg, i) {
+		if (!sg_dma_len(sg) || sg_dma_address(sg) != expected)
+			break;
+		expected = sg_dma_address(sg) + sg_dma_len(sg);
+		size += sg_dma_len(sg);
+	}
+	return size;
+}
+
 int amdxdna_dma_map_bo(...) { ... }

@table@
@@
 amdxdna_dma_map_bo(...)
 {
 <...
-if (IS_ERR(sgt)) { ... }
+if (IS_ERR(sgt))
+	return PTR_ERR(sgt);
 ...>
 }

@table_size@
identifier sgt;
@@
 amdxdna_dma_map_bo(...)
 {
 <...
-drm_prime_get_contiguous_size(sgt)
+amdxdna_contiguous_size(sgt)
 ...>
 }

@offset@
identifier args, gobj, abo;
statement S;
@@
 amdxdna_drm_get_bo_info_ioctl(...)
 {
 <...
 if (abo->type != AMDXDNA_BO_DEV)
-	args->map_offset = drm_vma_node_offset_addr(&gobj->vma_node);
+	ret = drm_shmem_mmap_offset(&abo->obj, &args->map_offset);
 else S
 ...>
 }
