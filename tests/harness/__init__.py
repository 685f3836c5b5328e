# SPDX-License-Identifier: Apache-2.0
"""What the wire and end-to-end tests stand on: scripted servers, raw clients, Istio YAML, and umbra itself as a process."""
