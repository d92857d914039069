// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// Convert code for objects that only virtio has.
// The host uses the pages of an object until it has answered a command, so the end of an object is
// deferred. Memory of the host and some imports are objects of other kinds in the same structure.
virtual patch

@waiting@
@@
 struct virtio_gpu_device {
 ...
 struct drm_device *ddev;
+struct drm_shmem_ends ends;
 ...
 };

@table@
@@
 struct virtio_gpu_object {
 ...
 struct sg_table *sgt;
+/* of an object in shmem, for a section */
+const struct sg_table *lent;
 ...
 };

@started@
identifier dev, ret, L;
@@
 virtio_gpu_probe(...)
 {
 <...
 ret = virtio_gpu_init(..., dev);
 if (ret) goto L;
+ret = drm_shmem_ends_init(&((struct virtio_gpu_device *)dev->dev_private)->ends, &unreg->bound);
+if (ret)
+	goto err_deinit;
 ...>
 }

// After a reset, the device answers no command and uses no memory.
@quiesced@
@@
+static void virtio_gpu_quiesce(const struct drm_dev_ctx_bound *bound, struct drm_dev_ctx_data *data)
+{
+	struct virtio_gpu_device *vgdev = drm_dev_ctx_bound_drm(bound)->dev_private;
+
+	if (!vgdev || !vgdev->ctrlq.vq)
+		return;
+	flush_work(&vgdev->ctrlq.dequeue_work);
+	flush_work(&vgdev->cursorq.dequeue_work);
+	virtio_reset_device(vgdev->vdev);
+	virtio_gpu_reclaim_vbufs(vgdev);
+}
+
+static const struct drm_dev_ctx_ops virtio_gpu_ctx_ops = {
+	.quiesce = virtio_gpu_quiesce,
+};
+
 int virtio_gpu_probe(...) { ... }

@gone@
identifier v;
@@
 v->vdev->config->del_vqs(v->vdev);
+v->ctrlq.vq = NULL;

@over@
identifier o, v;
statement S1, S2;
@@
 virtio_gpu_cleanup_object(struct virtio_gpu_object *o)
 {
 ...
+if (virtio_gpu_is_shmem(o)) {
+	drm_shmem_end(&o->obj, &v->ends);
+	return;
+}
 virtio_gpu_resource_id_put(v, o->hw_res_handle);
-if (virtio_gpu_is_shmem(o)) S1 else
 S2
 }

@freed@
identifier o, v;
@@
 virtio_gpu_free_object(...)
 {
 ...
 struct virtio_gpu_device *v = ...;
-if (o->created) { ... }
-virtio_gpu_cleanup_object(o);
+/* An object whose creation failed early has none. */
+if (o->hw_res_handle)
+	virtio_gpu_resource_id_put(v, o->hw_res_handle);
 }

@put_off@
@@
+static struct drm_shmem_put_off *virtio_gpu_release_object(struct drm_gem_object *gem)
+{
+	struct virtio_gpu_object *bo = gem_to_virtio_gpu_obj(gem);
+	struct virtio_gpu_device *vgdev = gem->dev->dev_private;
+	struct drm_shmem_put_off *later;
+
+	if (!bo->created)
+		return NULL;
+	virtio_gpu_remove_from_restore_list(bo);
+	later = drm_shmem_put_off(&bo->obj, &vgdev->ends);
+	if (later) {
+		virtio_gpu_cmd_unref_resource(vgdev, bo, false);
+		virtio_gpu_notify(vgdev);
+	}
+	return later;
+}
+
 void virtio_gpu_free_object(...) { ... }

@step@
identifier t;
@@
 struct drm_gem_object_funcs t = {
+	.release = virtio_gpu_release_object,
 	.free = virtio_gpu_free_object,
 	...
 };

@memory@
identifier d, n;
@@
 virtio_gpu_create_object(struct drm_device *d, size_t n)
 {
-...
+	struct virtio_gpu_object *bo;
+
+	bo = kzalloc_obj(*bo);
+	if (!bo)
+		return ERR_PTR(-ENOMEM);
+	INIT_LIST_HEAD(&bo->restore_node);
+	bo->base.base.funcs = &virtio_gpu_shmem_funcs;
+	return &bo->base.base;
 }

@created@
identifier o, s, v;
@@
 virtio_gpu_object_create(struct virtio_gpu_device *v, ...)
 {
 <...
(
-INIT_LIST_HEAD(&o->restore_node);
|
-virtio_gpu_resource_id_put(v, o->hw_res_handle);
|
-drm_gem_shmem_free(s);
)
 ...>
 }

@kept@
identifier o, p;
@@
 virtio_gpu_object_shmem_init(..., struct virtio_gpu_object *o, ...)
 {
 ...
 p = drm_gem_shmem_get_pages_sgt(&o->base);
 if (IS_ERR(p)) return ...;
+WRITE_ONCE(o->lent, p);
 ...
 }

@synced@
iterator name drm_dev_ctx_guard_live;
@@
+/* Callers may hold the lock of the object, or be in a panic. In a section, the table stays. */
+static void virtio_gpu_object_sync(struct virtio_gpu_object *bo, bool for_cpu)
+{
+	const struct sg_table *sgt = READ_ONCE(bo->lent);
+
+	drm_dev_ctx_guard_live(live, to_drm_dev_ctx(bo->base.base.dev)) {
+		if (!sgt)
+			break;
+		if (for_cpu)
+			dma_sync_sg_for_cpu(bo->base.base.dev->dev, sgt->sgl, sgt->orig_nents,
+					    DMA_FROM_DEVICE);
+		else
+			dma_sync_sg_for_device(bo->base.base.dev->dev, sgt->sgl, sgt->orig_nents,
+					       DMA_TO_DEVICE);
+	}
+}
+
 void virtio_gpu_ctrl_ack(...) { ... }

@for_device@
expression D, o;
@@
-dma_sync_sgtable_for_device(D, o->base.sgt, DMA_TO_DEVICE)
+virtio_gpu_object_sync(o, false)

@for_cpu@
expression D, o;
@@
-dma_sync_sgtable_for_cpu(D, o->base.sgt, DMA_FROM_DEVICE)
+virtio_gpu_object_sync(o, true)

@panic@
identifier o, sb;
@@
 virtio_drm_get_scanout_buffer(struct drm_plane *plane, struct drm_scanout_buffer *sb)
 {
 ...
-if (o->base.vaddr) { ... } else { ... }
+if (drm_shmem_panic_scanout(&o->obj, sb))
+	return -ENODEV;
 ...
 }

// This function only creates shmem objects.
@handle@
expression v, p, file, h;
identifier o, g, r, f;
@@
 virtio_gpu_resource_create_ioctl(...)
 {
 <...
 r = virtio_gpu_object_create(v, p, &o, f);
 ... when any
 g = &o->base.base;
 ... when any
-r = drm_gem_handle_create(file, g, h);
+r = drm_gem_handle_create(file, &o->base.base, h);
 ...>
 }

// The driver's gem_prime_import_sg_table function refuses imports that are mapped.
@mapped@
expression d, b;
@@
-drm_gem_prime_import(d, b)
+drm_shmem_prime_import(d, b)
