// SPDX-License-Identifier: GPL-2.0-only OR MIT
// dma-buf: refuse a mapping without an address
//
// dma_buf_vmap() counts a mapping even if the exporter's vmap returned success and no address.
// The next dma_buf_vmap() and each dma_buf_vunmap() then hit a BUG_ON(), so the fault of one
// exporter stops the machine.
//
// Return -ENOMEM in this case, as drm_gem_vmap() does.
//
// Files: drivers/dma-buf/dma-buf.c include/linux/dma-buf.h

@@
identifier dmabuf, map, ptr, ret;
@@
 int dma_buf_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
 {
 ...
 ret = dmabuf->ops->vmap(dmabuf, &ptr);
 if (WARN_ON_ONCE(ret))
 	return ret;
+if (WARN_ON_ONCE(iosys_map_is_null(&ptr)))
+	return -ENOMEM;
 ...
 }

@@
identifier dmabuf, map;
@@
+#define dma_buf_vmap_refuses_null 1
 int dma_buf_vmap(struct dma_buf *dmabuf, struct iosys_map *map);
