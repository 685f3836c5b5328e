/* SPDX-License-Identifier: Apache-2.0
 * h1_framing: what the fields of an HTTP/1.x head say about the message's end and its connection. Internal to http/.
 * Both want head->fields, first_of, version and start line filled in; 0 or UM_ESYNTAX with scan->fault. Thread: any. */
#ifndef UM_HTTP_H1_FRAMING_H
#define UM_HTTP_H1_FRAMING_H

#include "http/h1_scan.h"

int um_h1_frame_request(struct um_h1_scan *, struct um_head *, uint64_t repeated);
int um_h1_frame_response(struct um_h1_scan *, struct um_head *, uint64_t repeated, enum um_method request_method);

#endif
