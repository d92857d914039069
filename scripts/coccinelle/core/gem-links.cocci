// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm: let drivers use idle list links of objects and mappings
//
// A driver keeps two lists: objects whose end waits for the hardware, and mappings that an update
// has taken from the tree. Both have a link that nothing uses at that time:
// &drm_gem_object.lru_node and &drm_gpuva.rb.entry. Another link would make each object and each
// mapping 16 bytes larger.
//
// Give the two links a second name, with a comment that says when drivers may use it. "drm/safe: add typed
// GEM shmem objects" uses the first, and "drm/safe: add updates of address spaces that run in
// the fence signalling path" the second.
//
// Files: include/drm/drm_gem.h include/drm/drm_gpuvm.h

@@
@@
 struct drm_gem_object {
 	...
-	struct list_head lru_node;
+	union {
+		struct list_head lru_node;
+
+		/**
+		 * @link:
+		 *
+		 * For the driver, while the object is on no LRU and cannot get onto one.
+		 */
+		struct list_head link;
+	};
 	...
 };
+#define drm_gem_object_has_link 1

@@
@@
 struct drm_gpuva {
 	...
 	struct {
 		struct rb_node node;
-		struct list_head entry;
+		union {
+			struct list_head entry;
+
+			/**
+			 * @rb.link: For the driver, while the &drm_gpuva is not in the tree
+			 */
+			struct list_head link;
+		};
 		u64 __subtree_last;
 	} rb;
 };
+#define drm_gpuva_has_link 1
