# SPDX-License-Identifier: GPL-2.0-or-later
"""What tools/sva-trace is made of. No program. Imported by that and by its tests."""
