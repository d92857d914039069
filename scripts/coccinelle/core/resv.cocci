// SPDX-License-Identifier: GPL-2.0-only OR MIT
// dma-buf: annotate the reservation lock for context analysis
//
// Clang's context analysis proves that each path holds the locks that it needs, and leaves none
// held. It does not know dma_resv_lock() and similar functions.
//
// Annotate them. The analysis treats all reservation locks as one, because it cannot tell whether
// two expressions mean the same object. A task that holds one such lock must not take another one
// without a ticket anyway. Add guards, and use one in drm_gem_vmap() and drm_gem_vunmap(). Add a
// function that tells lockdep about a call that may take the lock.
//
// Files: include/linux/dma-resv.h include/drm/drm_gem.h drivers/gpu/drm/drm_gem.c

@script:python names@
lock; lock_interruptible; lock_slow; lock_slow_interruptible; trylock; unlock; gem_lock; gem_unlock;
@@
def attributes(name, text):
    # What takes the lock is a ww_mutex, which is not that token.
    return cocci.make_ident(f"{text} __no_context_analysis {name}")

coccinelle.lock = attributes("dma_resv_lock", "__cond_acquires(0, drm_resv)")
coccinelle.lock_interruptible = attributes("dma_resv_lock_interruptible", "__cond_acquires(0, drm_resv)")
coccinelle.lock_slow = attributes("dma_resv_lock_slow", "__acquires(drm_resv)")
coccinelle.lock_slow_interruptible = attributes("dma_resv_lock_slow_interruptible", "__cond_acquires(0, drm_resv)")
coccinelle.trylock = attributes("dma_resv_trylock", "__cond_acquires(true, drm_resv)")
coccinelle.unlock = attributes("dma_resv_unlock", "__releases(drm_resv)")
coccinelle.gem_lock = cocci.make_ident("__acquires(drm_resv) drm_gem_lock")
coccinelle.gem_unlock = cocci.make_ident("__releases(drm_resv) drm_gem_unlock")

@script:python guard@
kind; take; leave; attempt; intr; attributes; try_attributes; intr_attributes;
@@
coccinelle.kind = cocci.make_ident("struct dma_resv")
coccinelle.take = cocci.make_ident("dma_resv_lock(_T->lock, NULL)")
coccinelle.leave = cocci.make_ident("dma_resv_unlock(_T->lock)")
coccinelle.attempt = cocci.make_ident("dma_resv_trylock(_T->lock)")
coccinelle.intr = cocci.make_ident("dma_resv_lock_interruptible(_T->lock, NULL), _RET == 0")
coccinelle.attributes = cocci.make_ident("dma_resv, __acquires(drm_resv), __releases(drm_resv)")
coccinelle.try_attributes = cocci.make_ident("dma_resv_try, __acquires(drm_resv), __releases(drm_resv)")
coccinelle.intr_attributes = cocci.make_ident("dma_resv_intr, __acquires(drm_resv), __releases(drm_resv)")

@@
identifier guard.kind, guard.take, guard.leave, guard.attempt, guard.intr;
identifier guard.attributes, guard.try_attributes, guard.intr_attributes;
declarer name DEFINE_LOCK_GUARD_1, DEFINE_LOCK_GUARD_1_COND, DECLARE_LOCK_GUARD_1_ATTRS;
identifier obj;
@@
+DEFINE_LOCK_GUARD_1(dma_resv, kind, take, leave);
+DEFINE_LOCK_GUARD_1_COND(dma_resv, _try, attempt);
+DEFINE_LOCK_GUARD_1_COND(dma_resv, _intr, intr);
+
+DECLARE_LOCK_GUARD_1_ATTRS(attributes);
+#define class_dma_resv_constructor(_T) WITH_LOCK_GUARD_1_ATTRS(dma_resv, _T)
+DECLARE_LOCK_GUARD_1_ATTRS(try_attributes);
+#define class_dma_resv_try_constructor(_T) WITH_LOCK_GUARD_1_ATTRS(dma_resv_try, _T)
+DECLARE_LOCK_GUARD_1_ATTRS(intr_attributes);
+#define class_dma_resv_intr_constructor(_T) WITH_LOCK_GUARD_1_ATTRS(dma_resv_intr, _T)
+
 void dma_resv_init(struct dma_resv *obj);

@@
identifier obj, map, ret;
@@
 int drm_gem_vmap(struct drm_gem_object *obj, struct iosys_map *map)
 {
-	int ret;
-
-	dma_resv_lock(obj->resv, NULL);
-	ret = drm_gem_vmap_locked(obj, map);
-	dma_resv_unlock(obj->resv);
-
-	return ret;
+	guard(dma_resv)(obj->resv);
+	return drm_gem_vmap_locked(obj, map);
 }

@@
identifier obj, map;
@@
 void drm_gem_vunmap(struct drm_gem_object *obj, struct iosys_map *map)
 {
-	dma_resv_lock(obj->resv, NULL);
+	guard(dma_resv)(obj->resv);
 	drm_gem_vunmap_locked(obj, map);
-	dma_resv_unlock(obj->resv);
 }

@token@
declarer name token_context_lock;
identifier ww;
@@
 extern struct ww_class ww;
+
+/* All reservation locks are one to clang's context analysis. */
+#define drm_resv drm_resv
+token_context_lock(drm_resv, __reentrant_ctx_lock);
+
+/* Tell lockdep that a function may take a reservation lock. */
+#define drm_resv_might_lock(obj) might_lock(&(obj)->lock.base)

@@
identifier names.lock;
parameter list ps;
@@
 static inline int
-dma_resv_lock
+lock
 (ps) { ... }

@@
identifier names.lock_interruptible;
parameter list ps;
@@
 static inline int
-dma_resv_lock_interruptible
+lock_interruptible
 (ps) { ... }

@@
identifier names.lock_slow;
parameter list ps;
@@
 static inline void
-dma_resv_lock_slow
+lock_slow
 (ps) { ... }

@@
identifier names.lock_slow_interruptible;
parameter list ps;
@@
 static inline int
-dma_resv_lock_slow_interruptible
+lock_slow_interruptible
 (ps) { ... }

@@
typedef bool;
identifier names.trylock;
parameter list ps;
@@
 bool
-dma_resv_trylock
+trylock
 (ps) { ... }

@@
identifier names.unlock;
parameter list ps;
@@
 static inline void
-dma_resv_unlock
+unlock
 (ps) { ... }

@@
identifier names.gem_lock;
parameter list ps;
@@
 void
-drm_gem_lock
+gem_lock
 (ps);

@@
identifier names.gem_unlock;
parameter list ps;
@@
 void
-drm_gem_unlock
+gem_unlock
 (ps);
