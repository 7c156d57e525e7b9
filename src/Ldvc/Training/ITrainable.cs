using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Training;

/// <summary>What a <see cref="RunLoop"/> trains: it takes steps, and its state can be saved after any of them.</summary>
internal interface ITrainable
{
    /// <summary>Optimiser steps taken in all.</summary>
    long Step { get; }

    /// <summary>Whether the last step failed because a value is NaN or infinite, and the state may be no good: it is not saved.</summary>
    bool HasDiverged { get; }

    /// <summary>Time spent waiting for data so far; null where that is not measured.</summary>
    TimeSpan? Waited { get; }

    /// <summary>What metrics say of the last step besides loss and learning rate.</summary>
    IReadOnlyList<(string Name, double Value)> Parts { get; }

    /// <summary>One optimiser step.</summary>
    /// <exception cref="InputException">Data is bad, or training diverged.</exception>
    (double Loss, double LearningRate) Advance();

    /// <summary>Compares the state with that of the job's other processes; nothing where there are none.</summary>
    /// <exception cref="InputException">They are not the same.</exception>
    void Verify()
    {
    }

    /// <summary>The state from which training continues bit for bit.</summary>
    /// <exception cref="InputException">A value of it is NaN or infinite.</exception>
    SafetensorsWriter Compose();
}
