"""BlenderProc: scenes path-traced by Blender's Cycles, in an interpreter of its own."""
