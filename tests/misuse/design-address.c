// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: design
// title: only a call with unsafe in its name returns the address of a mapping
// rust: b
// wrong: MEMBER B: no member named 'addr'
// wrong: HANDLE_AS_POINTER B: incompatible pointer
// wrong: HANDLE_AS_IOSYS_MAP B: incompatible pointer
// wrong: DEREFERENCED B: invalid operands|invalid argument type|used where arithmetic|wrong type argument|aggregate value
// wrong: PRIVATE_MEMBER C: '__map' is private to the library
// run: drm_shmem_vmap.unsafe_ptr: The pointer has the size that the type promises.

#include "foo.h"

void foo_dump(const u8 *bytes);
void foo_dump_map(const struct iosys_map *map);

int foo_fw_dump(struct foo_bo *bo)
{
	int ret;

	drm_vmap_guard(foo_fw, fw, &bo->shmem, ret) {
#if defined(MEMBER)
		foo_dump(fw->addr);
#elif defined(HANDLE_AS_POINTER)
		foo_dump(fw);
#elif defined(HANDLE_AS_IOSYS_MAP)
		foo_dump_map(fw);
#elif defined(DEREFERENCED)
		ret = !*fw;
#elif defined(PRIVATE_MEMBER)
		foo_dump(fw->__map.addr);
#else
		foo_dump(drm_vmap_unsafe_ptr(fw));
#endif
	}
	return ret;
}
