# For gdb: symbols and source lines of every cubicle, and backtraces through gates.
#
#     gdb -x THIS target/x86_64-unknown-linux-gnu/debug/NAME
#
# What is above this comment was written by the build. Each cubicle is an image of its own,
# with its own debug information, which lies beside this file.

import os

import gdb
from gdb.FrameDecorator import FrameDecorator
from gdb.unwinder import Unwinder

# Page tables and windows work by SIGSEGV, system calls by SIGSYS. One that the monitor does not
# mend ends the program: `handle SIGSEGV stop` to be there.
gdb.execute("handle SIGSYS nostop noprint pass", to_string=True)
gdb.execute("handle SIGSEGV nostop noprint pass", to_string=True)
gdb.execute("set confirm off")

FOLDER = os.path.dirname(os.path.abspath(__file__))
IMAGES = [os.path.join(FOLDER, cubicle + ".elf") for cubicle in CUBICLES]
if all(os.path.exists(image) for image in IMAGES):
    # The program has the same debug information, without what unwinders need.
    gdb.execute("symbol-file", to_string=True)
    for image in IMAGES:
        gdb.execute('add-symbol-file "%s"' % image, to_string=True)


# gdb takes a caller whose stack lies below its callee's for a sign of damage, unless the
# callee has the name of a function of gcc's that is known to change stacks. Each cubicle
# has a stack of its own, so what lies at the gates and in the monitor has this name in that file.
gdb.execute(
    'add-symbol-file "%s" -s .text %#x -s .text.monitor %#x'
    % (os.path.join(FOLDER, BORDERS_OBJECT), GATE_BASE, MONITOR_BEGIN),
    to_string=True,
)


def gate_at(address):
    """The number of the gate in which an address lies."""
    number = (address - GATE_BASE) // GATE_STRIDE
    return number if 0 <= number < len(GATES) and GATES[number] else None


def word(address):
    data = gdb.selected_inferior().read_memory(address, 8)
    return int.from_bytes(bytes(data), "little")


class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class Gates(Unwinder):
    """From a gate that waits for its function to the caller's code.

    The caller's frame (in its arena) says where its stack is, and there is what the gate
    has saved; the first word of that leads to the call before. gdb asks for one frame after
    the other, from the innermost one, so the calls that a cubicle waits for come in the
    order of that list. `calls` remembers which one each gate on the stack was, as long as
    the thread stands where `place` says."""

    def __init__(self):
        super().__init__("gates of cargo-cubicle")
        self.place = None
        self.calls = {}

    def saved(self, gs, caller, gate_stack):
        heads = []
        for number in range(len(CUBICLES)):
            frame = word(gs + VIRTUAL_THREADS + VIRTUAL_THREAD_SIZE * number)
            heads.append(word(frame + FRAME_STACK) if frame else None)
        newest = gdb.newest_frame()
        place = (gs, int(newest.read_register("rsp")), newest.pc(), heads)
        if place != self.place:
            self.place, self.calls = place, {}
        if gate_stack not in self.calls:
            further_in = [at for whose, at in self.calls.values() if whose == caller]
            at = word(further_in[-1]) if further_in else heads[caller]
            self.calls[gate_stack] = (caller, at)
        return self.calls[gate_stack][1]

    def __call__(self, pending):
        pc = int(pending.read_register("rip"))
        number = gate_at(pc)
        # A thread that stands in a gate itself has not made the call, or has made it.
        if number is None or pending.level() == 0:
            return None
        caller, _callee, _function = GATES[number]
        gs = int(pending.read_register("gs_base")) % 2**64
        try:
            saved = self.saved(gs, caller, int(pending.read_register("rsp")) % 2**64)
            registers = {name: word(saved + at) for name, at in SAVED.items()}
        except (gdb.MemoryError, gdb.error, TypeError):
            return None
        kind = pending.architecture().integer_type(64, False)
        here = FrameId(gdb.Value(saved).cast(kind), gdb.Value(pc).cast(kind))
        unwind = pending.create_unwind_info(here)
        registers["rsp"] = saved + SAVED["rip"] + 8
        registers["gs_base"] = gs
        for name, value in registers.items():
            unwind.add_saved_register(name, gdb.Value(value).cast(kind))
        return unwind


class Monitor(Unwinder):
    """From the monitor to the code that it works for. That is what a signal interrupted, if the
    monitor handles one; else the cubicle that made a system call, whose gate has left its
    registers at the top of the monitor's stack."""

    def __init__(self):
        super().__init__("the monitor of cargo-cubicle")

    def interrupted(self, context):
        return {name: word(context + at) for name, at in CONTEXT.items()}

    def asking(self, gs):
        top = word(gs + MONITOR_STACK)
        cubicle = (word(top - ENTERED) - ENTRY_BASE) // ENTRY_STRIDE
        if not 0 <= cubicle < len(CUBICLES):
            return None
        registers = {name: word(top - at) for name, at in ENTRY_SAVED.items()}
        frame = word(gs + VIRTUAL_THREADS + VIRTUAL_THREAD_SIZE * cubicle)
        registers["rsp"] = word(frame + FRAME_CALLER_STACK)
        return registers

    def __call__(self, pending):
        pc = int(pending.read_register("rip"))
        if not in_monitor(pc):
            return None
        gs = int(pending.read_register("gs_base")) % 2**64
        sp = int(pending.read_register("rsp")) % 2**64
        try:
            signal = word(gs + SIGNAL_HEADER)
            if signal <= sp < signal + SIGNAL_STACK:
                registers = self.interrupted(word(signal + SIGNAL_CONTEXT))
            else:
                registers = self.asking(gs)
        except (gdb.MemoryError, gdb.error):
            return None
        if registers is None:
            return None
        kind = pending.architecture().integer_type(64, False)
        # On the caller's stack, because frames must not lie below those that they called.
        here = FrameId(gdb.Value(registers["rsp"]).cast(kind), gdb.Value(pc).cast(kind))
        unwind = pending.create_unwind_info(here)
        for name, value in dict(registers, gs_base=gs).items():
            unwind.add_saved_register(name, gdb.Value(value).cast(kind))
        return unwind


def in_monitor(address):
    return MONITOR_BEGIN <= address < MONITOR_END


class MonitorName(FrameDecorator):
    def function(self):
        return "the monitor"


class GateName(FrameDecorator):
    def function(self):
        caller, callee, function = GATES[gate_at(self.inferior_frame().pc())]
        return "gate %s -> %s::%s" % (CUBICLES[caller], CUBICLES[callee], function)


class Names:
    """Gates and the monitor have no symbols that gdb would look for at their place."""

    name = "gates of cargo-cubicle"
    priority = 100
    enabled = True

    def filter(self, frames):
        for frame in frames:
            pc = frame.inferior_frame().pc()
            if gate_at(pc) is not None:
                yield GateName(frame.inferior_frame())
            elif in_monitor(pc):
                yield MonitorName(frame.inferior_frame())
            else:
                yield frame


for one in (Gates(), Monitor()):
    gdb.unwinder.register_unwinder(None, one, replace=True)
gdb.frame_filters[Names.name] = Names()
