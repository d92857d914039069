// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm/gem-shmem: find the page of a fault by the offset of the node
//
// The fault handlers take vmf->pgoff - vma->vm_pgoff for the page of the object. That is the
// offset in the VMA. A VMA that was split, by munmap() or mprotect() of a part, starts with a
// later page of the object: its vm_pgoff moved with it. The handlers then insert the pages of the
// start of the object.
//
// Subtract the start of the object's node, which vm_pgoff had when the object was mapped. That holds
// for the mappings of a dma-buf too: drm_gem_prime_mmap() adds the start of the node. amdxdna has
// its own mmap() of a dma-buf, which does not add the start, so add it there.
//
// Files: drivers/gpu/drm/drm_gem_shmem_helper.c drivers/accel/amdxdna/amdxdna_gem.c

@@
struct vm_fault *vmf;
struct vm_area_struct *vma;
identifier f, page_offset, obj;
typedef pgoff_t;
@@
 f(...)
 {
 ...
 struct drm_gem_object *obj = vma->vm_private_data;
 ...
-pgoff_t page_offset = vmf->pgoff - vma->vm_pgoff;
+pgoff_t page_offset = vmf->pgoff - drm_vma_node_start(&obj->vma_node);
 ...
 }

@@
identifier f, dma_buf, vma, gobj;
symbol drm_gem_shmem_vm_ops;
@@
 f(struct dma_buf *dma_buf, struct vm_area_struct *vma)
 {
 ...
+vma->vm_pgoff += drm_vma_node_start(&gobj->vma_node);
 vma->vm_ops = &drm_gem_shmem_vm_ops;
 vma->vm_private_data = gobj;
 ...
 }
