// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// Borrow an sg table where there is a proof that the parent is bound.
// This needs a converted object, a struct drm_shmem_obj, and a parameter with the proof.
virtual patch

@bound@
identifier f, bound, sgt, ret;
expression E;
@@
 f(..., const struct drm_dev_ctx_bound *bound, ...)
 {
 ...
-struct sg_table *sgt;
+const struct sg_table *sgt;
 ...
 int ret;
 ...
-sgt = drm_gem_shmem_get_pages_sgt(&E.base);
-if (IS_ERR(sgt))
-	return PTR_ERR(sgt);
+drm_shmem_sgt_or(lent, bound, &E, ret, DRM_SAFE_RETURN(ret));
+sgt = drm_shmem_sgt_table(lent);
 ...
 }

@registered@
identifier f, reg, proof =~ "_reg$", sgt, ret;
expression E;
@@
 f(..., const struct proof *reg, ...)
 {
 ...
-struct sg_table *sgt;
+const struct sg_table *sgt;
 ...
 int ret;
 ...
-sgt = drm_gem_shmem_get_pages_sgt(&E.base);
-if (IS_ERR(sgt))
-	return PTR_ERR(sgt);
+drm_shmem_sgt_or(lent, &reg->base.bound, &E, ret, DRM_SAFE_RETURN(ret));
+sgt = drm_shmem_sgt_table(lent);
 ...
 }
