# SPDX-License-Identifier: GPL-2.0-or-later
"""What tools/sva-tables is made of."""
