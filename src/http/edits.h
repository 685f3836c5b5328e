/* SPDX-License-Identifier: Apache-2.0
 * edits: what the writer of a head shares with the edits of message.h. Internal to http/. Thread: any. */
#ifndef UM_HTTP_EDITS_H
#define UM_HTTP_EDITS_H

#include "http/message.h"

/* true if an edit from index `from` on sets or removes that name */
bool um_edits_cut(const struct um_edits *, uint32_t from, enum um_field_id, struct um_str name);

#endif
