// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm/vma_manager: unmap a node by pages
//
// drm_vma_node_unmap() gives unmap_mapping_range() the offset in bytes. Where unsigned long has 32
// bits, that function truncates an offset from 4 GiB on, and the mapping of the node stays.
//
// Call unmap_mapping_pages() instead, which takes the offset in pages.
//
// Files: include/drm/drm_vma_manager.h

@@
identifier node, file_mapping;
@@
 drm_vma_node_unmap(struct drm_vma_offset_node *node, struct address_space *file_mapping)
 {
 if (drm_mm_node_allocated(&node->vm_node))
-	unmap_mapping_range(file_mapping, drm_vma_node_offset_addr(node), drm_vma_node_size(node) << PAGE_SHIFT, 1);
+	unmap_mapping_pages(file_mapping, drm_vma_node_start(node), drm_vma_node_size(node), true);
 }

@@
identifier mgr;
@@
+#define drm_vma_node_unmap_pages 1
 void drm_vma_offset_manager_destroy(struct drm_vma_offset_manager *mgr);
