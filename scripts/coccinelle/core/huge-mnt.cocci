// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm/gem: forget a huge tmpfs mount that failed
//
// drm_gem_huge_mnt_create() stores the result of fc_mount_longterm() even if it is an error, and
// returns 0. Creating objects then fails, because drm_gem_object_init() uses the error as a mount. If
// drmm_add_action_or_reset() fails, then the pointer to the freed mount stays there, and the next
// object uses it.
//
// Store a mount only once it is sure to stay, and put the context on each path.
//
// Files: drivers/gpu/drm/drm_gem.c include/drm/drm_gem.h

@@
identifier dev, value, type, fc, ret;
@@
 int drm_gem_huge_mnt_create(struct drm_device *dev, const char *value)
 {
 	struct file_system_type *type;
 	struct fs_context *fc;
+	struct vfsmount *mnt;
 	int ret;
 ...
 	ret = vfs_parse_fs_string(fc, "source", "tmpfs");
-	if (unlikely(ret))
-		return -ENOPARAM;
-	ret = vfs_parse_fs_string(fc, "huge", value);
-	if (unlikely(ret))
+	if (!ret)
+		ret = vfs_parse_fs_string(fc, "huge", value);
+	if (unlikely(ret)) {
+		put_fs_context(fc);
 		return -ENOPARAM;
+	}

-	dev->huge_mnt = fc_mount_longterm(fc);
+	mnt = fc_mount_longterm(fc);
 	put_fs_context(fc);
+	if (IS_ERR(mnt))
+		return PTR_ERR(mnt);

-	return drmm_add_action_or_reset(dev, drm_gem_huge_mnt_free, NULL);
+	dev->huge_mnt = mnt;
+	ret = drmm_add_action_or_reset(dev, drm_gem_huge_mnt_free, NULL);
+	if (ret)
+		dev->huge_mnt = NULL;
+	return ret;
 }

@@
identifier obj;
@@
+#define drm_gem_huge_mnt_create_undoes 1
 void drm_gem_object_release(struct drm_gem_object *obj);
