// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm/gem: charge the array of an object's pages to its client
//
// The pages of an object are charged to the memory cgroup of the task that gets them. The array
// with their addresses is not charged, although a client makes the kernel allocate it with one
// ioctl. It has 8 bytes per page, so 32 MiB for an object of 16 GiB.
//
// Allocate it with GFP_KERNEL_ACCOUNT. This is a change of policy, not a fix: a group that was just below
// its limit can be above it now. The pages of the object are 512 times as large as the array, and
// are charged to the same group unless another task gets them.
//
// Files: drivers/gpu/drm/drm_gem.c

@@
identifier obj, pages;
expression npages;
@@
 struct page **drm_gem_get_pages(struct drm_gem_object *obj)
 {
 ...
-	pages = kvmalloc_objs(struct page *, npages);
+	pages = kvmalloc_objs(struct page *, npages, GFP_KERNEL_ACCOUNT);
 ...
 }
