# What must hold of shared names in every order of their commands.
#
# An operation has a begin and an end on one clock of the driver. What it did, it did in between. So only an operation that
# had ended before another began is surely before it. The rules are tried on the BEAM's own history too.

defmodule Beam.History do
  # @returns violations: {sentence, the operation, the operation that contradicts it or nil}
  def check(operations) do
    operations
    |> Enum.group_by(& &1.name)
    |> Enum.flat_map(fn {_name, operations} ->
      {told, violations} = check_monitors(operations)
      operations = operations ++ told
      violations ++ check_unknown(operations) ++ check_presence(operations) ++ check_values(operations)
    end)
  end

  # --- unknown outcomes ---

  # Only an exit signal to the bucket at that time excuses one.
  defp check_unknown(operations) do
    exits = for %{verb: :exit} = op <- operations, op.reason != "normal" and done?(op), do: op

    for %{reply: :unknown} = op <- operations,
        not Enum.any?(exits, &(&1 != op and &1.begin < op.replied and &1.end > op.begin)),
        do: {"its outcome is unknown, and nothing has reset the bucket", op, nil}
  end

  # --- whether there is a bucket ---

  defp check_presence(operations) do
    sweep(operations, &present?/1, &may_end?/1, &absent?/1, fn op ->
      op.reply in [:not_found, :created] && "there was a bucket, and nothing ended it"
    end) ++
      sweep(operations, &absent?/1, &may_create?/1, &present?/1, fn op ->
        present?(op) && "there was no bucket, and nothing created one"
      end)
  end

  # There was a bucket at some moment between its begin and its end.
  defp present?(%{verb: verb, reply: reply}) do
    case {verb, reply} do
      {:monitor, _} -> false
      {:down, _} -> false
      {_, reply} when reply in [:ok, :created, :existing] -> true
      {_, {kind, _}} when kind in [:value, :id] -> true
      _ -> false
    end
  end

  # There was none at some moment between its begin and its end.
  defp absent?(op), do: op.reply in [:not_found, :created] or op.verb == :down or ends?(op)

  defp ends?(op), do: may_end?(op) and op.reply == :ok

  defp may_end?(%{verb: :stop} = op), do: done?(op)
  defp may_end?(%{verb: :exit, reason: "normal"}), do: false
  defp may_end?(%{verb: :exit, kind: :temporary} = op), do: done?(op)
  defp may_end?(_), do: false

  defp may_create?(%{verb: verb} = op) when verb in [:create, :create_temporary],
    do: done?(op) and op.reply != :existing

  defp may_create?(_), do: false

  defp done?(op), do: op.reply in [:ok, :created, :existing, :unknown]

  # --- values ---

  defp check_values(operations) do
    of_bucket = Enum.filter(operations, &(may_end?(&1) or &1.verb == :down))

    operations
    |> Enum.filter(& &1.key)
    |> Enum.group_by(& &1.key)
    |> Enum.flat_map(fn {_key, of_key} ->
      check_missing(of_key ++ of_bucket) ++ check_stale(of_key, of_bucket)
    end)
  end

  # An empty reply: nothing was put, or it was removed.
  defp check_missing(operations) do
    set? = fn
      %{verb: :put, reply: :ok} -> true
      %{verb: :get, reply: {:value, value}} -> value != ""
      _ -> false
    end

    may_remove? = &(may_end?(&1) or (&1.verb == :delete and done?(&1)))
    missing? = &(&1.verb == :get and &1.reply == {:value, ""})
    sweep(operations, set?, may_remove?, missing?, &(missing?.(&1) && "the value was lost"))
  end

  # A value that was read had been put, and nothing was surely behind that put and before the read. Values are unique.
  defp check_stale(of_key, of_bucket) do
    puts = for %{verb: :put} = op <- of_key, into: %{}, do: {op.value, op}

    replaces? = fn op ->
      ends?(op) or op.verb == :down or (op.verb in [:put, :delete] and op.reply == :ok)
    end

    {_, _, violations} =
      (of_key ++ of_bucket)
      |> events()
      |> Enum.reduce({nil, %{}, []}, fn
        {_, :begin, %{verb: :get} = op}, {latest, before, violations} ->
          {latest, Map.put(before, op.begin, latest), violations}

        {_, :begin, _}, acc ->
          acc

        {_, :end, %{verb: :get, reply: {:value, value}} = op}, {latest, before, violations}
        when value != "" ->
          {behind, before} = Map.pop(before, op.begin)
          {latest, before, stale(op, puts[value], behind) ++ violations}

        {_, :end, op}, {latest, before, violations} ->
          {if(replaces?.(op), do: later(latest, op), else: latest), before, violations}
      end)

    violations
  end

  defp stale(op, nil, _), do: [{"the value was never put under this key", op, nil}]
  defp stale(op, put, _) when put.begin > op.end, do: [{"the value was put only later", op, put}]

  defp stale(op, put, behind) when behind != nil and behind.begin > put.end,
    do: [{"the value is old", op, behind}]

  defp stale(_, _, _), do: []

  # --- monitors ---

  # Exactly one DOWN for each monitor, with the reason of what ended that bucket, behind its restarts in their order.
  # @returns {what the signals say about the bucket, as operations; violations}
  defp check_monitors(operations) do
    exits = Enum.filter(operations, &(&1.verb in [:stop, :exit]))

    operations
    |> Enum.filter(&(&1.verb in [:monitor, :signal]))
    |> Enum.group_by(& &1.process)
    |> Enum.map(fn {_process, own} -> own |> Enum.sort_by(& &1.begin) |> follow(nil, [], exits, {[], []}) end)
    |> Enum.reduce({[], []}, fn {told, wrong}, {all_told, all_wrong} ->
      {told ++ all_told, wrong ++ all_wrong}
    end)
  end

  defp follow([], nil, _, _, acc), do: acc
  defp follow([], monitor, _, _, {told, wrong}), do: {told, [{"its DOWN never came", monitor, nil} | wrong]}

  defp follow([%{verb: :monitor, reply: :ok} = op | rest], nil, _, exits, acc),
    do: follow(rest, op, [], exits, acc)

  defp follow([%{verb: :monitor, reply: :ok} = op | _], monitor, _, _, {told, wrong}),
    do: {told, [{"the driver monitors twice", op, monitor} | wrong]}

  defp follow([%{verb: :monitor} | rest], monitor, restarts, exits, acc),
    do: follow(rest, monitor, restarts, exits, acc)

  defp follow([signal | rest], nil, _, exits, {told, wrong}),
    do: follow(rest, nil, [], exits, {told, [{"a line without a monitor", signal, nil} | wrong]})

  defp follow([%{signal: "RESTARTED"} = signal | rest], monitor, restarts, exits, acc),
    do: follow(rest, monitor, [signal | restarts], exits, acc)

  defp follow([%{reason: "noproc"} = signal | rest], monitor, restarts, exits, {told, wrong}) do
    wrong = if restarts == [], do: wrong, else: [{"noproc behind a restart", signal, monitor} | wrong]
    none = %{monitor | verb: :noproc, reply: :not_found, end: signal.end}
    follow(rest, nil, [], exits, {[none | told], wrong})
  end

  defp follow([signal | rest], monitor, restarts, exits, {told, wrong}) do
    causes = causes(signal, monitor, exits)
    first_end = first_end(exits, monitor)
    # The end is no later than the first operation that surely ended the bucket after MONITOR.
    possible = Enum.filter(causes, &(&1.begin < first_end))

    wrong =
      cond do
        monitor.kind == :permanent and signal.reason != "normal" ->
          [{"a permanent bucket ended so", signal, monitor}]

        causes == [] ->
          [{"nothing ended it for this reason", signal, monitor}]

        possible == [] ->
          [{"it had ended before, for another reason", signal, monitor}]

        true ->
          check_restarts(Enum.reverse(restarts), monitor, exits, possible)
      end ++ wrong

    # From its DOWN on the bucket is gone. When it ended is known if only one operation gave that reason.
    gone = for [cause] <- [causes], do: %{cause | verb: :down, reply: :ok, end: signal.end}
    # At MONITOR it was there.
    there = %{monitor | verb: :monitored}
    follow(rest, nil, [], exits, {gone ++ [there | told], wrong})
  end

  defp causes(signal, monitor, exits) do
    Enum.filter(exits, fn op ->
      gives(op) == signal.reason and op.begin < signal.end and op.end > monitor.begin
    end)
  end

  defp gives(%{verb: :stop} = op), do: if(done?(op), do: "normal")
  defp gives(%{reason: "normal"}), do: nil
  defp gives(%{reason: "kill"} = op), do: if(done?(op), do: "killed")
  defp gives(op), do: if(done?(op), do: op.reason)

  defp first_end(exits, monitor) do
    # An atom is greater than any number.
    Enum.reduce(exits, :none, fn op, first ->
      if ends?(op) and op.begin > monitor.end, do: min(first, op.end), else: first
    end)
  end

  defp check_restarts(restarts, monitor, exits, ends) do
    if monitor.kind == :temporary and restarts != [] do
      [{"a temporary bucket was restarted", hd(restarts), monitor}]
    else
      found = Enum.map(restarts, &{&1, causes(&1, monitor, exits)})
      unfounded = for {signal, []} <- found, do: {"nothing restarted it for this reason", signal, monitor}

      # `kill` is the only reason that is sent more than once.
      repeated =
        for {reason, [_, _ | _] = signals} <- Enum.group_by(restarts, & &1.reason),
            reason != "killed",
            do: {"a restart was reported twice", hd(signals), monitor}

      unordered =
        for [{_, [one]}, {signal, [other]}] <- Enum.chunk_every(found, 2, 1, :discard),
            other.end < one.begin,
            do: {"a later restart was reported first", signal, one}

      unfounded ++ repeated ++ unordered ++ missing(restarts, monitor, exits, ends)
    end
  end

  # Every restart that surely lies between MONITOR and the end.
  defp missing(restarts, %{kind: :permanent} = monitor, exits, ends) do
    reasons = MapSet.new(restarts, & &1.reason)
    earliest_end = ends |> Enum.map(& &1.begin) |> Enum.min()

    for %{verb: :exit, reply: :ok} = op <- exits,
        op.begin > monitor.end and op.end < earliest_end,
        reason = gives(op),
        reason not in reasons,
        do: {"a restart was not reported", monitor, op}
  end

  defp missing(_, _, _, _), do: []

  # --- sweeping ---

  # Goes through begins and ends in order. `shows?` says that something holds, `may_change?` that it may no longer, and
  # `denies?` that it does not. A violation is a denial behind a proof with no possible change in between; `sentence` says
  # which denials count.
  defp sweep(operations, shows?, may_change?, denies?, sentence) do
    start = %{proof: nil, open: 0, changed: -1, before: %{}, violations: []}

    operations
    |> events()
    |> Enum.reduce(start, fn
      {_, :begin, op}, state ->
        state = if may_change?.(op), do: %{state | open: state.open + 1}, else: state

        if denies?.(op),
          do: %{state | before: Map.put(state.before, {op.begin, op.verb}, state.proof)},
          else: state

      {at, :end, op}, state ->
        state = if denies?.(op), do: judge(state, op, sentence), else: state
        state = if may_change?.(op), do: %{state | open: state.open - 1, changed: at}, else: state
        if shows?.(op), do: %{state | proof: later(state.proof, op)}, else: state
    end)
    |> Map.fetch!(:violations)
  end

  defp judge(state, op, sentence) do
    {proof, before} = Map.pop(state.before, {op.begin, op.verb})
    state = %{state | before: before}
    text = sentence.(op)

    if text && proof != nil && state.open == 0 && state.changed < proof.begin,
      do: %{state | violations: [{text, op, proof} | state.violations]},
      else: state
  end

  # The proof that leaves the least time for a change.
  defp later(nil, op), do: op
  defp later(one, other), do: if(one.begin > other.begin, do: one, else: other)

  # An operation of unknown outcome has no end: it may take effect at any time.
  defp events(operations) do
    operations
    |> Enum.flat_map(fn
      %{reply: :unknown} = op -> [{op.begin, :begin, op}]
      op -> [{op.begin, :begin, op}, {op.end, :end, op}]
    end)
    |> Enum.sort_by(fn {at, what, _} -> {at, what} end)
  end
end
