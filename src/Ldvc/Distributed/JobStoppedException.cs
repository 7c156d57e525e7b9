namespace Ldvc.Distributed;

/// <summary>All processes of a job stop at the same place, since one of them was told to.</summary>
internal sealed class JobStoppedException() : OperationCanceledException("one of the processes was told to stop");
