/* SPDX-License-Identifier: Apache-2.0
 * field_name: sets of known field names as bits by id. Internal to http/. Thread: any. */
#ifndef UM_HTTP_FIELD_NAME_H
#define UM_HTTP_FIELD_NAME_H

#include "http/message.h"

_Static_assert(UM_FIELD_COUNT <= 64, "a set of known names is one word");

#define UM_FIELD_BIT(id) ((uint64_t)1 << (id))

extern const uint64_t um_field_ids_hop;        /* never forwarded */
extern const uint64_t um_field_ids_end_to_end; /* Connection cannot nominate them */

/* what the codec writes or leaves out by itself: edits do not reach it */
static inline uint64_t um_field_ids_of_codec(void)
{
    return um_field_ids_hop | UM_FIELD_BIT(UM_FIELD_HOST) | UM_FIELD_BIT(UM_FIELD_CONTENT_LENGTH);
}

static inline bool um_field_id_is_codecs(unsigned id)
{
    return um_field_ids_of_codec() >> id & 1;
}

/* one of 64 classes of names that differ in no more than case: most differing names are told apart without a comparison
 */
static inline uint64_t um_field_name_bit(struct um_str name)
{
    return UM_FIELD_BIT((name.n * 7 + (size_t)(name.p[name.n - 1] | 0x20)) & 63);
}

#endif
