/* SPDX-License-Identifier: Apache-2.0
 * notify: the service manager's protocol (sd_notify(3)): a datagram to the socket that NOTIFY_SOCKET names. Thread:
 * control. */
#ifndef UM_APP_NOTIFY_H
#define UM_APP_NOTIFY_H

/* "READY=1", "STOPPING=1"; without a service manager nothing happens */
void um_notify(const char *state);

#endif
