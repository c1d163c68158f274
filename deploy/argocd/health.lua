-- How an EncryptedSecret is doing, for Argo CD: the conditions that coffer's operator writes, in Argo CD's words.
-- https://argo-cd.readthedocs.io/en/stable/operator-manual/health/#custom-health-checks
-- Written for the Lua 5.1 that Argo CD runs, without its libraries.
local health = {}

if obj.metadata.deletionTimestamp ~= nil then
  health.status = "Progressing"
  health.message = "It is being deleted"
  return health
end

local conditions = {}
if obj.status ~= nil and obj.status.conditions ~= nil then
  for _, condition in ipairs(obj.status.conditions) do
    conditions[condition.type] = condition
  end
end

local ready = conditions["Ready"]
if ready == nil then
  health.status = "Progressing"
  health.message = "The operator has not come to it yet"
  return health
end

-- What is said of a former generation says nothing of this one.
local observed = ready.observedGeneration
if observed ~= nil and obj.metadata.generation ~= nil and observed < obj.metadata.generation then
  health.status = "Progressing"
  health.message = "The operator has not come to its newest change yet"
  return health
end

local verified = conditions["Verified"]
if ready.status == "True" and verified ~= nil and verified.status == "False" and ready.reason ~= "Retained" then
  -- What is projected is git's, and this object says something else.
  health.status = "Degraded"
  health.message = verified.reason .. ": " .. verified.message
  return health
end

health.message = ready.reason .. ": " .. ready.message
if ready.status == "True" then
  health.status = "Healthy"
  if verified ~= nil and verified.reason == "Behind" then
    -- Whoever carries the object has still to bring what git has.
    health.message = verified.reason .. ": " .. verified.message
  end
elseif ready.reason == "Suspended" or ready.reason == "RemovalHeld" then
  -- It waits for a time, or for a person.
  health.status = "Suspended"
elseif conditions["Reconciling"] ~= nil and conditions["Reconciling"].status == "True" then
  health.status = "Progressing"
else
  health.status = "Degraded"
end
return health
