// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 19
// title: VM freed on the wrong reference count
// rust: b
// wrong: GPUVM_PUT B: incompatible pointer
// wrong: CORE_PUT B: incompatible pointer
// wrong: RAW_BO_PUT_OF_VM B: incompatible pointer
// wrong: BORROWED_KEPT C: the result of drm_gpuvm_imm_shared\(\) is borrowed
// run: drm_gpuvm_imm.drm_gpuvm_imm_test_any_order: The last references may go in any order.

#include "foo.h"

struct foo_client {
	struct foo_vm vm;
	struct drm_gpuvm_imm *shared;
};

void foo_client_init(struct foo_client *client)
{
#if defined(BORROWED_KEPT)
	client->shared = drm_gpuvm_imm_shared(client->vm.core);
#else
	client->shared = drm_gpuvm_imm_get(client->vm.core);
#endif
}

void foo_client_close(struct foo_client *client)
{
#if defined(GPUVM_PUT)
	drm_gpuvm_put(client->shared);
#elif defined(CORE_PUT)
	drm_gpuvm_imm_put(client->vm.core);
#elif defined(RAW_BO_PUT_OF_VM)
	drm_gpuvm_imm_bo_put(client->shared);
#else
	drm_gpuvm_imm_put(client->shared);
#endif
	drm_gpuvm_imm_fini(client->vm.core);
}
